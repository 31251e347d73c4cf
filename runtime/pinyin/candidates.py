"""What typed pinyin may mean, best first: words, a sentence made of words, then what its beginning may mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from runtime.pinyin.dictionary import Word, dictionary
from runtime.pinyin.syllables import Piece, partings

_ALL_WEIGHTS = 60_000_000
_PER_COST = 0.3**0.1  # a parting that costs 10 more than the best counts for 0.3 of it
_DEAREST = 15  # partings that cost so much more are not meant
_LONGER = 0.15  # a word of which not every syllable was typed
_MOST_LONGER = 12
_LONGEST_SPAN = 8


@dataclass(frozen=True)
class Candidate:
    """`takes`: how many of the typed letters it stands for; the rest is typed on with."""

    text: str
    takes: int


@lru_cache(128)
def candidates(typed: str, *, traditional: bool = False) -> tuple[Candidate, ...]:
    """All of them, each text once. `typed`: a to z and apostrophes; anything that is no pinyin gives none."""
    ways = partings(typed)
    if not ways or not ways[0]:
        return ()
    ways = tuple(way for way in ways if _cost(way) <= _cost(ways[0]) + _DEAREST)
    texts: dict[str, int] = {}
    for word, takes in _in_order(ways):
        texts.setdefault("".join(each.other if traditional else each.text for each in word), takes)
    return tuple(Candidate(text, takes) for text, takes in texts.items())


def forget() -> None:
    """What was typed of late is kept, to be quick, and tells what somebody wrote: from now on it is not."""
    candidates.cache_clear()
    partings.cache_clear()
    if dictionary.cache_info().currsize:
        dictionary().words.cache_clear()


def _in_order(ways: tuple[tuple[Piece, ...], ...]) -> Iterator[tuple[tuple[Word, ...], int]]:
    whole = sorted(_whole(ways), key=lambda found: -found[0])
    sentence = _sentence(ways)
    if sentence is not None and (len(sentence) > 1 or not whole):
        yield sentence, ways[0][-1].end
    for _, word in whole:
        yield (word,), ways[0][-1].end
    for count in range(max(map(len, ways)) - 1, 0, -1):
        for pieces in ways:
            if count < len(pieces):
                for word in _matching(pieces[:count]):
                    yield (word,), pieces[count - 1].end


def _whole(ways: tuple[tuple[Piece, ...], ...]) -> Iterator[tuple[float, Word]]:
    for factor, pieces in _weighed(ways):
        for word in _matching(pieces):
            yield factor * (word.weight + 0.5), word
        if len(pieces) > 1:
            longer = sorted(_longer(pieces), key=lambda word: -word.weight)[:_MOST_LONGER]
            yield from ((factor * _LONGER * word.weight, word) for word in longer)


def _weighed(ways: tuple[tuple[Piece, ...], ...]) -> Iterator[tuple[float, tuple[Piece, ...]]]:
    best = _cost(ways[0])
    for pieces in ways:
        yield _PER_COST ** (_cost(pieces) - best), pieces


def _cost(pieces: Iterable[Piece]) -> int:
    return sum(10 if piece.whole else 25 for piece in pieces)


def _matching(pieces: tuple[Piece, ...]) -> Iterator[Word]:
    initials = "".join(piece.letters[0] for piece in pieces)
    return (word for word in dictionary().words(initials) if _fits(pieces, word))


def _longer(pieces: tuple[Piece, ...]) -> Iterator[Word]:
    initials = "".join(piece.letters[0] for piece in pieces)
    return (word for word in dictionary().words(initials, longer=True) if _fits(pieces, word))


def _fits(pieces: tuple[Piece, ...], word: Word) -> bool:
    return all(piece.fits(syllable) for piece, syllable in zip(pieces, word.syllables, strict=False))


def _sentence(ways: tuple[tuple[Piece, ...], ...]) -> tuple[Word, ...] | None:
    """The likeliest row of words for all that was typed, each by its own weight (Viterbi over unigrams)."""
    rows = ((math.log(factor) + score, row) for factor, way in _weighed(ways) for score, row in _best_row(way))
    return max(rows, key=lambda found: found[0], default=(0, None))[1]


def _best_row(pieces: tuple[Piece, ...]) -> Iterator[tuple[float, tuple[Word, ...]]]:
    best: list[tuple[float, tuple[Word, ...]] | None] = [(0.0, ()), *[None] * len(pieces)]
    for end in range(1, len(pieces) + 1):
        for start in range(max(0, end - _LONGEST_SPAN), end):
            before = best[start]
            word = next(_matching(pieces[start:end]), None) if before else None
            if before is None or word is None:
                continue
            score = before[0] + math.log((word.weight + 0.5) / _ALL_WEIGHTS)
            here = best[end]
            if here is None or score > here[0]:
                best[end] = (score, (*before[1], word))
    if best[-1] is not None:
        yield best[-1]
