"""The measures, and what they count as equal.

Texts are normalised to NFKC; every run of white space is one space, and none counts beside a
Chinese, Japanese or full-width sign. Case and all other signs count.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from runtime.fields.squeezed import squeezed
from runtime.layout.spacing import is_wide


def distance(wanted: Sequence[Hashable], got: Sequence[Hashable]) -> int:
    """Edits from one to the other: Myers' bit-vector algorithm (1999), in Hyyrö's form for edit distance."""
    if not wanted or not got:
        return max(len(wanted), len(got))
    places: dict[Hashable, int] = {}
    for place, item in enumerate(wanted):
        places[item] = places.get(item, 0) | 1 << place
    everything, last = (1 << len(wanted)) - 1, 1 << (len(wanted) - 1)
    plus, minus, score = everything, 0, len(wanted)
    for item in got:
        equal = places.get(item, 0)
        diagonal = (((equal & plus) + plus) ^ plus) | equal | minus
        across_plus, across_minus = minus | ~(diagonal | plus) & everything, plus & diagonal
        score += bool(across_plus & last) - bool(across_minus & last)
        across_plus = across_plus << 1 | 1
        plus = (across_minus << 1 | ~(diagonal | across_plus)) & everything
        minus = across_plus & diagonal & everything
    return score


def normalised(text: str) -> str:
    """`text` as the measures see it."""
    words = unicodedata.normalize("NFKC", text).split()
    joined = ""
    for word in words:
        solid = not joined or is_wide(joined[-1]) or is_wide(word[0])
        joined += word if solid else f" {word}"
    return joined


@dataclass(frozen=True)
class ErrorRate:
    """`edits` of `length` signs or words."""

    edits: int = 0
    length: int = 0

    def __add__(self, other: ErrorRate) -> ErrorRate:
        return ErrorRate(self.edits + other.edits, self.length + other.length)

    @property
    def rate(self) -> float:
        """0 is perfect; it can exceed 1."""
        return self.edits / self.length if self.length else float(self.edits > 0)


def characters(truth: str, read: str) -> ErrorRate:
    wanted = normalised(truth)
    return ErrorRate(distance(wanted, normalised(read)), len(wanted))


def words(truth: str, read: str) -> ErrorRate:
    """Of scripts that put spaces between words; of others it says little."""
    wanted = normalised(truth).split()
    return ErrorRate(distance(wanted, normalised(read).split()), len(wanted))


@dataclass(frozen=True)
class FieldCount:
    """`right` fields, those given that are `wrong` or not there, those of the truth `missed` or wrong."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: FieldCount) -> FieldCount:
        return FieldCount(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def f1(self) -> float:
        """1 is perfect, and what it is where no field was wanted and none given."""
        total = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / total if total else 1.0


def fields(truth: Mapping[str, str], read: Mapping[str, str]) -> FieldCount:
    """A field is right if its value equals the truth after NFKC and without white space."""
    right = sum(squeezed(read.get(key, "")) == squeezed(value) for key, value in truth.items())
    given = sum(bool(value) for value in read.values())
    return FieldCount(right, max(0, given - right), len(truth) - right)
