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
from runtime.layout.spacing import is_wide
from runtime.results import Quad, UnreadLine
from runtime.scripts.known import UNKNOWN, Script, script_of
from runtime.scripts.preparing import line_image
from runtime.scripts.reader import Reread, ScriptReader

OWN_READER = "PP-OCRv6"
TESSERACT = "tesseract "
_LIKELY_READ = 0.8
"""PP-OCRv6 is surer than this of nearly every line in its own scripts, photographs included (measured)."""
_THIN_FROM = 4.0
"""Shorter lines, in their heights, may be letter-spaced."""
_THIN = 0.65
"""Signs' widths over the line's: print has more. In scripts that it lacks PP-OCRv6 sees blanks, and surely."""
_CERTAIN = 0.97
"""What it reads on a page of other scripts must be surer."""
_LEAST_SLENDER = 2.0
_GREEK = 3
_LIKE_LATIN = frozenset("ABCEHIKMNOPSTXYZaceiopsuvxy0123456789")
"""Signs that Cyrillic and Greek share with Latin by their looks."""
_LOOKS_LATIN = frozenset({"Cyrillic", "Greek"})
_HALF = 0.5
_GARBLED = 0.75
_ILLEGIBLE = 0.35
"""Lines in a script of its own are never as bad as this; Thai, which detection takes for Latin, is (measured)."""
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
        others = [read for read in result if read.reader != OWN_READER]
        alike = _LIKE_LATIN if any(_script(read).name in _LOOKS_LATIN for read in others) else frozenset()
        bar = _CERTAIN if 2 * len(others) >= len(result) else 0.0
        again = [
            index
            for index, read in enumerate(result)
            if index not in doubtful and (read.score < bar or _is_made_of(read.text, alike))
        ]
        self._reread(page, quads, result, again if others else [], reread, stop)
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
                result[index] = Read(found.text, found.confidence, f"{TESSERACT}{found.language}")

    def _name_unread(self, page: Pixels, quads: Sequence[Quad], result: list[Read], left: Sequence[int]) -> None:
        """Mark what is in a script that nothing reads, if it is more than a stray line."""
        left = [index for index in left if _slender(quads[index]) >= _LEAST_SLENDER]
        if not left or (len(left) < _LEAST_LINES and 2 * len(left) < len(result)):
            return
        names = self._reader.name([line_image(page, quads[index]) for index in left])
        foreign = sum(name is not None for name in names)
        score = _mean_score([result[index] for index in left], [quads[index] for index in left])
        if score >= _GARBLED or (2 * foreign <= len(left) and score >= _ILLEGIBLE):
            return
        if 2 * foreign <= len(left):
            names = [self._reader.name_page(page)]
        known = {script_of(language).name for language in self._reader.languages}
        script = next(name for name in names if name is not None)
        script = UNKNOWN if script.name in known else script  # it would have been read
        for index in left:
            result[index] = Read("", 0.0, unread=script)
        widths = [_width(quad) for quad in quads]
        if sum(widths[index] for index in left) >= _HALF * sum(widths):
            raise NotItsScript(self._not_read(script))

    def _not_read(self, script: Script) -> ScriptsNotRead:
        known = dict.fromkeys(script_of(language).en for language in self._reader.languages)
        return ScriptsNotRead(scripts=(script.en,), scripts_zh=(script.zh,), read=tuple(known))


def is_doubtful(read: Read, quad: Quad) -> bool:
    """Whether a line may be in a script that PP-OCRv6 lacks."""
    if _slender(quad) < _LEAST_SLENDER:
        return False
    return read.score < _LIKELY_READ or _is_maimed(read, quad)


def _is_maimed(read: Read, quad: Quad) -> bool:
    """Surely misread, however sure PP-OCRv6 is: most of the line is blank to it, or it took letters for Greek."""
    signs = [sign for sign in read.text if not sign.isspace()]
    width = sum(1.0 if is_wide(sign) else 0.5 for sign in signs)
    greek = sum(unicodedata.name(sign, "").startswith("GREEK") for sign in signs)
    slender = _slender(quad)
    return (slender >= _THIN_FROM and width < _THIN * slender) or greek >= _GREEK


def unread_lines(reads: Sequence[Read], quads: Sequence[Quad]) -> tuple[UnreadLine, ...]:
    """The places of lines that nothing could read."""
    return tuple(
        UnreadLine(script=read.unread.en, script_zh=read.unread.zh, box=quad)
        for read, quad in zip(reads, quads, strict=True)
        if read.unread is not None
    )


def _script(read: Read) -> Script:
    return script_of(read.reader.removeprefix(TESSERACT))


def _is_made_of(text: str, signs: frozenset[str]) -> bool:
    letters = [sign for sign in text if sign.isalnum()]
    return any(sign.isalpha() for sign in letters) and all(sign in signs for sign in letters)


def _mean_score(reads: Sequence[Read], quads: Sequence[Quad]) -> float:
    """By width; 0 for lines that are surely misread."""
    widths = [_width(quad) for quad in quads]
    scores = [0.0 if _is_maimed(read, quad) else read.score for read, quad in zip(reads, quads, strict=True)]
    return sum(score * width for score, width in zip(scores, widths, strict=True)) / max(1.0, sum(widths))


def _width(quad: Quad) -> float:
    return math.dist(quad[0], quad[1])


def _slender(quad: Quad) -> float:
    return _width(quad) / max(1.0, math.dist(quad[0], quad[3]))
