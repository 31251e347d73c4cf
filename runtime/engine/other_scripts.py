"""Beside PP-OCRv6: which of its lines are in another script, and what becomes of them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runtime.engine.contract import NotItsScript
from runtime.engine.crops import Pixels, turned
from runtime.engine.turning import Rotation, longest, stands_sideways
from runtime.engine.wire import ScriptsNotRead
from runtime.results import Quad, UnreadLine
from runtime.scripts.known import UNKNOWN, Script, script_of
from runtime.scripts.preparing import line_image
from runtime.scripts.reader import Reread, ScriptReader

OWN_READER = "PP-OCRv6"
_LIKELY_READ = 0.9
"""PP-OCRv6 is surer than this of nearly every line in its own scripts, photographs included (measured)."""
_THIN = 0.7
"""Signs for each line height of width: print has more. In scripts it lacks PP-OCRv6 sees blanks, surely."""
_LEAST_SLENDER = 2.0
_GREEK = 3
_LIKE_LATIN = frozenset("ABCEHIKMNOPSTXYZaceiopsvxyuBCMHKTPEAOX0123456789")
"""Signs that Cyrillic and Greek share with Latin by their looks."""
_HALF = 0.5
_GARBLED = 0.75
_LEAST_LINES = 3
_LINES_TRIED = 4


@dataclass(frozen=True)
class Read:
    """A line as it was read. `score`: 0..1. `unread`: the script of a line that nothing reads."""

    text: str
    score: float
    reader: str = OWN_READER
    unread: Script | None = None


class OtherScripts:
    """Looks after what the `reader` reads."""

    def __init__(self, reader: ScriptReader) -> None:
        self._reader = reader

    def way_up(self, page: Pixels, quads: Sequence[Quad], stop: Callable[[], None]) -> Rotation | None:
        """Degrees clockwise by which a page in other scripts must be turned; None if no way is legible."""
        lines = [line_image(page, quad) for quad in longest(quads, _LINES_TRIED)]
        ways: tuple[Rotation, Rotation] = (90, 270) if stands_sideways(quads) else (0, 180)
        if not lines:
            return None
        found = self._reader.way_up([[turned(line, way) for line in lines] for way in ways], stop)
        return None if found is None else ways[found]

    def read(
        self, page: Pixels, quads: Sequence[Quad], reads: Sequence[Read], reread: Reread, stop: Callable[[], None]
    ) -> list[Read]:
        """`reads` with the doubtful lines read again. Raises NotItsScript where most of a page cannot be read.

        A line is replaced only by one in a script of its own: what PP-OCRv6 reads stays as it is.
        """
        result = list(reads)
        doubtful = [index for index, read in enumerate(reads) if is_doubtful(read, quads[index])]
        self._reread(page, quads, result, doubtful, reread, stop)
        others = {script_of(r.reader.split()[1]).name for r in result if r.reader.startswith("tesseract")}
        if others & {"Cyrillic", "Greek"}:
            alike = [i for i in range(len(result)) if i not in doubtful and _could_be_other(result[i].text)]
            self._reread(page, quads, result, alike, reread, stop)
        left = [index for index in doubtful if result[index].reader == OWN_READER]
        self._name_unread(page, quads, result, left)
        return result

    def _reread(
        self,
        page: Pixels,
        quads: Sequence[Quad],
        result: list[Read],
        chosen: Sequence[int],
        reread: Reread,
        stop: Callable[[], None],
    ) -> None:
        lines = [line_image(page, quads[index]) for index in chosen]
        for index, found in zip(chosen, self._reader.read(lines, reread, stop), strict=True):
            if found is not None:
                result[index] = Read(found.text, found.confidence, f"tesseract {found.language}")

    def _name_unread(self, page: Pixels, quads: Sequence[Quad], result: list[Read], left: Sequence[int]) -> None:
        """Mark what is in a script that nothing reads, if it is more than a stray line."""
        left = [index for index in left if _slender(quads[index]) >= _LEAST_SLENDER]
        if not left or (len(left) < _LEAST_LINES and 2 * len(left) < len(result)):
            return
        names = self._reader.name([line_image(page, quads[index]) for index in left])
        foreign = sum(name is not None for name in names)
        garbled = _mean_score([result[index] for index in left], [quads[index] for index in left]) < _GARBLED
        if 2 * foreign <= len(left) or not garbled:
            return
        script = next(name for name in names if name is not None)
        for index in left:
            result[index] = Read("", 0.0, unread=script)
        widths = [_width(quad) for quad in quads]
        known = {script_of(language).name for language in self._reader.languages}
        if script.name not in known and sum(widths[index] for index in left) >= _HALF * sum(widths):
            raise NotItsScript(self._not_read(script))

    def _not_read(self, script: Script) -> ScriptsNotRead:
        known = dict.fromkeys(script_of(language).en for language in self._reader.languages)
        return ScriptsNotRead(scripts=(script.en,), scripts_zh=(script.zh,), read=tuple(known))


def is_doubtful(read: Read, quad: Quad) -> bool:
    """Whether a line may be in a script that PP-OCRv6 lacks."""
    slender = _slender(quad)
    if slender < _LEAST_SLENDER:
        return False
    signs = [sign for sign in read.text if not sign.isspace()]
    greek = sum(unicodedata.name(sign, "").startswith("GREEK") for sign in signs)
    return read.score < _LIKELY_READ or len(signs) < _THIN * slender or greek >= _GREEK


def unread_lines(reads: Sequence[Read], quads: Sequence[Quad]) -> tuple[UnreadLine, ...]:
    """The places of lines that nothing could read."""
    return tuple(
        UnreadLine(script=read.unread.en, script_zh=read.unread.zh, box=quad)
        for read, quad in zip(reads, quads, strict=True)
        if read.unread is not None
    )


def _could_be_other(text: str) -> bool:
    letters = [sign for sign in text if sign.isalnum()]
    return any(sign.isalpha() for sign in letters) and all(sign in _LIKE_LATIN for sign in letters)


def _mean_score(reads: Sequence[Read], quads: Sequence[Quad]) -> float:
    widths = [_width(quad) for quad in quads]
    return sum(read.score * width for read, width in zip(reads, widths, strict=True)) / max(1.0, sum(widths))


def _width(quad: Quad) -> float:
    return math.dist(quad[0], quad[1])


def _slender(quad: Quad) -> float:
    return _width(quad) / max(1.0, math.dist(quad[0], quad[3]))


__all__ = ["OWN_READER", "UNKNOWN", "OtherScripts", "Read", "is_doubtful", "unread_lines"]
