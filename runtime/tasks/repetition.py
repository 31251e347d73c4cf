"""Greedy decoding can fall into a loop and write the same piece until it meets its limit.

The numbers are those of HunyuanOCR's own client (inference/utils/output_utils.py): a long table
repeats itself too, so nothing is suspected before 4,000 characters.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_LOOK = 4000
"""Characters after which the end is looked at for the first time."""
LOOK_EVERY = 1000
LONGEST_UNIT = 256
LEAST_REPEATS = 8
WINDOW = 8000
_CLEAN_FROM = 2000
_CLEAN_REPEATS = 10


@dataclass
class TailGuard:
    """Looks at an answer while it is written. `first_look`, `look_every`: characters."""

    first_look: int = FIRST_LOOK
    look_every: int = LOOK_EVERY

    def __post_init__(self) -> None:
        self._next_look = self.first_look

    def loops(self, text: str) -> bool:
        """True once the end of `text`, everything written so far, repeats itself. Cheap between looks."""
        if len(text) < self._next_look:
            return False
        self._next_look = len(text) + self.look_every
        return tail_repeats(text[-WINDOW:])


def tail_repeats(text: str) -> bool:
    """Whether `text` ends in LEAST_REPEATS copies of one piece of at most LONGEST_UNIT characters.

    White space alone does not count: the cells of an empty table column are filled with it.
    """
    for length in range(1, min(LONGEST_UNIT, len(text) // LEAST_REPEATS) + 1):
        unit = text[-length:]
        if unit.strip() and text.endswith(unit * LEAST_REPEATS):
            return True
    return False


def without_repeated_tail(text: str) -> str:
    """`text` with a tail of ten or more copies cut down to one; short texts are left alone."""
    if len(text) < _CLEAN_FROM:
        return text
    for length in range(1, len(text) // _CLEAN_REPEATS + 1):
        unit = text[-length:]
        if not unit.strip() or not text.endswith(unit * _CLEAN_REPEATS):
            continue
        end = len(text)
        while text.endswith(unit, 0, end - length):
            end -= length
        return text[:end]
    return text
