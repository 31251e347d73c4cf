"""Debian's `tesseract` program: lines in, text and confidence out; a process for each call.

A process of its own costs a few hundredths of a second, and no fault in it takes the engine down.
Pictures go in and text comes out through pipes: nothing is written to a file.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]
"""Height x width: one line of print, prepared by `runtime.scripts.preparing`."""

_PROGRAM = "tesseract"
_TIMEOUT_S = 120
_ONE_LINE, _ONE_RAW_LINE, _SCRIPT_ONLY = "7", "13", "0"
_DPI = 300
_LOOKS = 4
"""How often script detection goes on after a line that it could do nothing with."""
_WORD = "5"
_COLUMNS = 12
_DIRECTIONS = str.maketrans("", "", "\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
"""Marks that Tesseract puts around text; logical order needs none."""


@dataclass(frozen=True)
class Word:
    """`confidence`: 0..100. `left`, `right`: in pixels of the line's picture."""

    text: str
    confidence: float
    left: int
    right: int


@dataclass(frozen=True)
class TextLine:
    """`text`: in logical order. `confidence`: 0..100, the words' mean by length. `words`: as Tesseract cuts them,
    which in Korean and Thai is finer than the spaces in `text`."""

    text: str
    confidence: float
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Seen:
    """What script detection says of a line; `script` is Tesseract's name for it, "" where it says nothing."""

    script: str = ""
    confidence: float = 0.0


def installed() -> frozenset[str]:
    """The language data that are there, `osd` among them. Raises FileNotFoundError without the program."""
    if shutil.which(_PROGRAM) is None:
        raise FileNotFoundError("the program tesseract is not installed (Debian: tesseract-ocr)")
    done = subprocess.run([_PROGRAM, "--list-langs"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    return frozenset(done.stdout.split("\n")[1:]) - {""}


def read(lines: Sequence[Grey], language: str, *, raw: bool = False) -> list[TextLine]:
    """Each line's text; a line that it finds nothing in is empty. `raw` skips Tesseract's own layout."""
    if not lines:
        return []
    page_mode = _ONE_RAW_LINE if raw else _ONE_LINE
    out = _run(lines, ["--psm", page_mode, "-l", language, "tsv", "txt"])
    texts: list[list[str]] = [[] for _ in lines]
    words: list[list[Word]] = [[] for _ in lines]
    page = 0
    for row in out.replace("\f", "").split("\n"):
        cells = row.split("\t")
        if len(cells) < _COLUMNS:
            if page and row.strip():
                texts[page - 1].append(row.translate(_DIRECTIONS).strip())
            continue
        if not cells[0].isdecimal():
            continue
        page = int(cells[1])
        if cells[0] == _WORD:
            left, width = int(cells[6]), int(cells[8])
            text = cells[11].translate(_DIRECTIONS)
            words[page - 1].append(Word(text, float(cells[10]), left, left + width))
    return [TextLine(" ".join(text), _mean(found), tuple(found)) for text, found in zip(texts, words, strict=True)]


def look(lines: Sequence[Grey]) -> list[Seen]:
    """Each line's script, as far as Tesseract's detection tells."""
    found = [Seen()] * len(lines)
    left = sorted(range(len(lines)), key=lambda index: -lines[index].shape[1])
    for _ in range(_LOOKS):
        if not left:
            break
        seen = _look([lines[index] for index in left])
        for index, each in zip(left, seen, strict=False):
            found[index] = each
        left = left[len(seen) + 1 :]
    return found


def _look(lines: Sequence[Grey]) -> list[Seen]:
    """Up to the first line in which it finds too little: there the program ends."""
    out = _run(lines, ["--psm", _SCRIPT_ONLY, "-l", "osd", "-c", "min_characters_to_try=5"])
    found = re.findall(r"^Script: (\S+)\nScript confidence: ([\d.]+)", out, re.MULTILINE)
    return [Seen(script, float(confidence)) for script, confidence in found]


def _mean(words: Sequence[Word]) -> float:
    weight = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / weight if weight else 0.0


def _run(lines: Sequence[Grey], arguments: Sequence[str]) -> str:
    pages = [Image.fromarray(line) for line in lines]
    held = io.BytesIO()
    pages[0].save(held, "TIFF", save_all=True, append_images=pages[1:], dpi=(_DPI, _DPI))
    done = subprocess.run(
        [_PROGRAM, "-", "-", "--dpi", str(_DPI), *arguments],
        input=held.getvalue(),
        capture_output=True,
        env={**os.environ, "OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"},
        timeout=_TIMEOUT_S,
        check=False,
    )
    return done.stdout.decode("utf-8", "replace")
