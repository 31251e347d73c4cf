"""Does a stick have the room it claims? Counterfeit ones wrap around or drop what is past their true end.

Marks, each of another content, go to the beginning, to every power of two and to the last block; a stick that
wraps or drops gives one of them back wrong. Wraps that no two marks share are found by the second look,
once the ISO lies on the stick: what was written over a mark by way of the wrap is missing there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from builder.errors import FlashError
from builder.flash.drive import Drive

_MARK_BYTES = 4096
_FIRST_POWER = 1 << 20


class Marks:
    """Marks on a stick, and what lay under them."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self._secret = os.urandom(16)
        self._under: dict[int, bytes] = {}

    def write(self) -> None:
        """All of them, lowest first: what wraps lies over what it hits."""
        for place in places(self._drive.size):
            self._under[place] = self._drive.read(place, _MARK_BYTES)
        for place in self._under:
            self._drive.write(place, self._mark(place))
        self._drive.flush()

    def check(self) -> None:
        """Raises FlashError if one of those that are still there is not what it was."""
        by_content = {self._mark(place): place for place in self._under}
        for place in self._under:
            found = self._drive.read(place, _MARK_BYTES)
            origin = by_content.get(found)
            if origin == place:
                continue
            seen = "something else" if origin is None else f"what was written at byte {origin:,}"
            raise FlashError(
                f"it lies about its size: of {self._drive.size:,} bytes claimed, byte {place:,} gives back {seen}",
                hint="a counterfeit or broken stick: throw it away, it loses whatever is written to it",
            )

    def lift(self, end: int | None = None) -> None:
        """Put back what lay under the marks, of those before byte `end` or of all."""
        for place in [place for place in self._under if end is None or place < end]:
            self._drive.write(place, self._under.pop(place))

    def _mark(self, place: int) -> bytes:
        return hashlib.shake_256(self._secret + place.to_bytes(8, "big")).digest(_MARK_BYTES)


def places(size: int) -> list[int]:
    """Where the marks go on a stick of `size` bytes, ascending."""
    powers = [0]
    place = _FIRST_POWER
    while place + _MARK_BYTES <= size:
        powers.append(place)
        place *= 2
    last = (size - _MARK_BYTES) // _MARK_BYTES * _MARK_BYTES
    return sorted({*powers, last})


@contextmanager
def marked(drive: Drive) -> Iterator[Marks]:
    """Mark a stick while the block runs; in the end everything that the marks covered is back in its place."""
    marks = Marks(drive)
    try:
        marks.write()
        marks.check()
        yield marks
    except OSError:
        raise
    except BaseException:
        marks.lift()
        raise
    marks.lift()
