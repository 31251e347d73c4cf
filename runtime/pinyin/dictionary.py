"""The words that pinyin can become: words.txt.xz, about 206,000 readings with how often each is written.

A line is "syllables, word, weight" and, where it differs, the Traditional word, parted by tabs. Lines are in the
order of the syllables' first letters, heaviest first among equals: one bisection finds all words that `nh` or
`ni hao` may be. They stay bytes, 6 MB; 200,000 tuples would be ten times that.
"""

from __future__ import annotations

import lzma
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

_FILE = Path(__file__).resolve().parent / "words.txt.xz"


@dataclass(frozen=True)
class Word:
    """`weight`: about how often it stands in 60 million words; 0 is rare. `other`: as Traditional Chinese has it."""

    syllables: tuple[str, ...]
    text: str
    weight: int
    other: str


class Dictionary:
    """Immutable once made; may be asked from several threads."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        starts, place = array("I"), 0
        while place < len(content):
            starts.append(place)
            place = content.index(b"\n", place) + 1
        self._starts = starts
        self.words = lru_cache(512)(self._words)

    def _words(self, initials: str, *, longer: bool = False) -> tuple[Word, ...]:
        """All words whose syllables begin with these letters, one letter a syllable, heaviest first.

        With `longer`, the words of more syllables instead, whose first ones begin so; not in any order.
        """
        key = initials.encode()
        first = bisect_left(self._starts, key, key=self._initials)
        end = bisect_left(self._starts, key + b"\0", key=self._initials)
        if longer:
            first, end = end, bisect_left(self._starts, key + b"\xff", key=self._initials)
        return tuple(self._word(self._starts[number]) for number in range(first, end))

    def _initials(self, start: int) -> bytes:
        syllables = self._content[start : self._content.index(b"\t", start)]
        return bytes(part[0] for part in syllables.split(b" "))

    def _word(self, start: int) -> Word:
        syllables, text, weight, *other = self._content[start : self._content.index(b"\n", start)].decode().split("\t")
        return Word(tuple(syllables.split(" ")), text, int(weight), other[0] if other else text)


@cache
def dictionary() -> Dictionary:
    """The one that is installed; takes about 0.3 s the first time."""
    return Dictionary(lzma.decompress(_FILE.read_bytes()))
