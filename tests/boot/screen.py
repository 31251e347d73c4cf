"""Reading a machine's screen with the project's own engine: the test sees what a person would."""

from __future__ import annotations

import threading
import time
import unicodedata
from functools import cache

import numpy as np
from PIL import Image

from runtime.engine.rapidocr_engine import RapidOcrEngine
from runtime.tasks.task import Ask
from tests.boot.qemu import PATIENCE, Machine, MachineError


@cache
def _engine() -> RapidOcrEngine:
    # One thread: the machine under test needs the other core.
    engine = RapidOcrEngine(threads=1)
    engine.load()
    return engine


def text_of(picture: Image.Image) -> str:
    """All text in the picture, without white space: word gaps of a screen font are not worth a test."""
    page = np.asarray(picture.convert("RGB"), dtype=np.uint8)
    result = _engine().read(page, Ask(), lambda _: None, threading.Event())
    return squeezed(result.text)


def text_of_screen(machine: Machine, name: str) -> str:
    """All text on the screen now; the screenshot stays as `name`.png."""
    with Image.open(machine.screenshot(name)) as picture:
        return text_of(picture)


def wait_for_text(machine: Machine, *wanted: str, name: str, limit_s: float) -> str:
    """Wait until the screen shows every one of `wanted`; answer all it shows then.

    The last screenshot stays as `name`.png. Raises MachineError, with what the screen does show, when
    the limit is over or the machine goes off.
    """
    deadline = time.monotonic() + limit_s * PATIENCE
    seen, last = "", b""
    while True:
        with Image.open(machine.screenshot(name)) as picture:
            pixels = picture.tobytes()
            if pixels != last:
                seen, last = text_of(picture), pixels
        if all(squeezed(words) in seen for words in wanted):
            return seen
        if not machine.is_on or time.monotonic() > deadline:
            raise MachineError(f"the screen does not show {wanted}; it shows: {seen}")
        time.sleep(2)


def squeezed(text: str) -> str:
    """Without white space and case, and with letters and digits of one shape made equal: in a file name
    of hexadecimal digits no engine can tell 1 from l."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold().translate(_ONE_SHAPE)


_ONE_SHAPE = str.maketrans("lio", "110")
