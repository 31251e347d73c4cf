"""Those who read the same pages in bench/service.py: the engine alone, the station, and two others."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from builder.cache import default_cache
from builder.environments import environment
from runtime.engine.rapidocr_engine import RapidOcrEngine
from runtime.tasks.task import Ask, Task
from tests.integration.station import REPOSITORY, Station, free_port
from tests.pages.render import render

_PEERS = REPOSITORY / "bench/peers.lock"
_SAMPLES = REPOSITORY.parent / "shared/samples"
_LANGUAGES = "chi_sim+eng"

Reads = Callable[["Sheet"], str]
Spent = Callable[[], float]
"""Seconds of processor time so far, of the contestant and all that it started."""


@dataclass(frozen=True)
class Sheet:
    """A page as a file, as pixels, and its text. `photograph`: about 300 KB of JPEG."""

    name: str
    text: str
    data: bytes
    pixels: NDArray[np.uint8]
    photograph: bool


def sheets() -> list[Sheet]:
    """Rendered pages as photographs of about 300 KB, and the samples with known text where they are."""
    made = []
    for kind in ("columns", "english", "chinese"):
        page = render(kind, faults=True, seed=7)
        held = io.BytesIO()
        larger = page.image.resize((round(page.image.width * 1.4), round(page.image.height * 1.4)))
        larger.save(held, "JPEG", quality=95)
        made.append(_sheet(kind, page.text, held.getvalue(), photograph=True))
    for file in sorted(_SAMPLES.glob("*.*")) if _SAMPLES.is_dir() else ():
        truth = file.with_suffix(".txt")
        if file.suffix in (".tif", ".jpg") and truth.is_file():
            held = io.BytesIO()  # as PNG in full colour: rapidocr_api answers 500 to a bilevel TIFF
            Image.open(file).convert("RGB").save(held, "PNG")
            made.append(_sheet(file.name, truth.read_text(), held.getvalue(), photograph=False))
    return made


def _sheet(name: str, text: str, data: bytes, *, photograph: bool) -> Sheet:
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    return Sheet(name, text, data, pixels, photograph)


def own_processor_s() -> float:
    """Of this process and of its children that have ended, which are Tesseract's."""
    return sum(os.times()[:4])


def processor_s(root: int) -> float:
    """Of the process `root`, its descendants, and those of them that have ended (proc(5), stat)."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            values = (entry / "stat").read_text().rpartition(")")[2].split()
            parents[int(entry.name)], ticks[int(entry.name)] = int(values[1]), sum(map(int, values[11:15]))
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def bare_engine() -> Reads:
    """The engine on decoded pixels in this process: no HTTP, no queue, no decoding."""
    engine = RapidOcrEngine(threads=os.cpu_count() or 1)
    engine.load()

    def read(sheet: Sheet) -> str:
        return engine.read(sheet.pixels, Ask(task=Task.TEXT), lambda _: None, threading.Event()).text

    return read


def station(running: Station) -> Reads:
    def read(sheet: Sheet) -> str:
        answer = running.http.post("/ocr?task=text", files={"file": (sheet.name, sheet.data)})
        answer.raise_for_status()
        return str(answer.json()["text"])

    return read


@contextmanager
def rapidocr_api() -> Iterator[tuple[Reads, Spent]]:
    """The PyPI package of that name, as it comes, in an environment of its own; ends with the block."""
    python = environment(default_cache(), "peers", _PEERS)
    port = free_port()
    start = "import sys; from rapidocr_api.main import main; sys.exit(main())"
    argv = [str(python), "-c", start, "-ip", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600, trust_env=False) as http:
            _wait_until_served(http, server)

            def read(sheet: Sheet) -> str:
                answer = http.post("/ocr", files={"image_file": (sheet.name, sheet.data)})
                answer.raise_for_status()
                return "\n".join(line["rec_txt"] for line in answer.json().values())

            yield read, lambda: processor_s(server.pid)
    finally:
        server.terminate()
        server.wait()


def _wait_until_served(http: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        with contextlib.suppress(httpx.TransportError):
            http.get("/").raise_for_status()
            return
        time.sleep(0.2)
    raise SystemExit("rapidocr_api did not start")


def tesseract(folder: Path) -> Reads | None:
    """Debian's, a process a page; None where it or one of its languages is not installed."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False).stdout
    if not set(_LANGUAGES.split("+")) <= set(listed.split()):
        return None

    def read(sheet: Sheet) -> str:
        file = folder / f"{sheet.name}-{threading.get_ident()}"
        file.write_bytes(sheet.data)
        argv = [program, str(file), "stdout", "-l", _LANGUAGES]
        # One thread each: four pages side by side are what keeps the cores busy.
        environ = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        return subprocess.run(argv, env=environ, capture_output=True, text=True, check=True).stdout

    return read
