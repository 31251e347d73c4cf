"""Lines that PP-OCRv6 could not read: their script found by trying, and read by Tesseract.

Script detection alone errs on single lines (Thai is taken for Latin, Georgian for anything), so
it only says which language to try first. What tells is how sure Tesseract is: a line read with the
wrong language's data gets under 60 of 100, with the right one's over 80 (measured).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np

from runtime.engine.crops import Pixels
from runtime.scripts import tesseract
from runtime.scripts.known import UNKNOWN, Script, script_of, seen, share
from runtime.scripts.preparing import prepared, word_image
from runtime.scripts.tesseract import Grey, TextLine, Word

Reread = Callable[[Sequence[Pixels]], Sequence[tuple[str, float]]]
"""PP-OCRv6's text and score of each picture of a word."""
Stop = Callable[[], None]
"""Raises Cancelled where nobody waits any more."""

_ACCEPTED = 72.0
_LEAST = {"tha": 88.0}
"""Tesseract is as sure as this of a line in the right language; Thai's data are sure of anything."""
_LEAST_AMONG_ITS_OWN = 78.0
"""For Thai, where other lines of the page are Thai."""
_OWN_SIGNS = 0.5
_SAMPLES = 8
_SEEN_SURELY = 1.0
_PAGE_LANGUAGES = 2
_FEW_LINES = 6
_SURE_NUMBER = 0.85
_NUMBER = re.compile(r"[(\[]?\d[\d.,:/%-]*[)\].,;:]?")
_LATIN = re.compile(r"[A-Za-z0-9][\x21-\x7e]+")
_DOUBTFUL_WORD = 80.0
_GAP = 20
_LOOKS_LATIN = frozenset({"Cyrillic", "Greek", "Armenian", "Cherokee"})
"""Scripts whose letters PP-OCRv6 would take for Latin ones."""


@dataclass(frozen=True)
class Found:
    """A line's text, and by whom; `language` is Tesseract's name. `confidence`: 0..1."""

    text: str
    confidence: float
    language: str

    @property
    def script(self) -> Script:
        return script_of(self.language)


@dataclass(frozen=True)
class _Entry:
    """The best reading of a line so far; `score`: 0..100."""

    score: float
    line: TextLine
    language: str

    @property
    def lead(self) -> float:
        return self.score - _accepted(self.language)

    def is_sure(self, occurring: Counter[str] | None = None) -> bool:
        """Whether it can be no other script's; a lower score will do for a language that occurs on the page."""
        if self.lead >= 0:
            return True
        return bool(occurring and occurring[self.language]) and self.score >= _LEAST_AMONG_ITS_OWN


class ScriptReader:
    """Reads with the `languages`, as Tesseract names them; with none it can only name a script."""

    def __init__(self, languages: Sequence[str], *, workers: int = 1) -> None:
        self.languages = tuple(languages)
        self._workers = max(1, workers)

    def load(self) -> None:
        """Raises FileNotFoundError for a program or language data that are not there, KeyError for unknown ones."""
        for language in self.languages:
            script_of(language)
        missing = {*self.languages, "osd"} - tesseract.installed()
        if missing:
            names = ", ".join(sorted(missing))
            raise FileNotFoundError(f"Tesseract's data are not installed: {names} (Debian: tesseract-ocr-...)")

    def way_up(self, ways: Sequence[Sequence[Pixels]], stop: Stop) -> int | None:
        """The same lines turned in several ways: which of these any language reads, None if none does."""
        greys = [[prepared(line) for line in way] for way in ways]
        for language in self._ranked([grey for way in greys for grey in way]):
            stop()
            found = iter(tesseract.read([grey for way in greys for grey in way], language))
            for index, way in enumerate(greys):
                scores = sorted((_likely(next(found), language) for _ in way), reverse=True)
                half = scores[: (len(scores) + 1) // 2]
                if sum(half) / len(half) >= _accepted(language):
                    return index
        return None

    def read(self, lines: Sequence[Pixels], reread: Reread, stop: Stop) -> list[Found | None]:
        """What Tesseract makes of each line; None where no language fits."""
        if not self.languages or not lines:
            return [None] * len(lines)
        greys = [prepared(line) for line in lines]
        best: list[_Entry | None] = [None] * len(lines)
        step = max(1, len(lines) // _SAMPLES)
        sample = range(0, len(lines), step)
        ranked = self._ranked([greys[index] for index in sample])
        tried: set[tuple[int, str]] = set()
        self._try(greys, best, sample, ranked, tried, stop)
        occurring = _occurring(best)
        if not occurring:
            return [None] * len(lines)
        ranked.sort(key=lambda language: -occurring[language])
        self._try(greys, best, range(len(lines)), ranked, tried, stop)
        self._again(lines, best, stop)
        occurring = _occurring(best)
        return [
            None
            if entry is None or not entry.is_sure(occurring)
            else self._with_numbers(
                Found(entry.line.text, entry.score / 100, entry.language), entry.line, grey, reread
            )
            for entry, grey in zip(best, greys, strict=True)
        ]

    def name(self, lines: Sequence[Pixels]) -> list[Script | None]:
        """Of lines that nothing could read: the script that most of them are seen in; None for PP-OCRv6's own.

        UNKNOWN for all that are in none of its own, where no script has most of them.
        """
        looks = [seen(each.script) for each in tesseract.look([prepared(line) for line in lines])]
        votes = Counter(script.name for script in looks if script is not None)
        (name, count), *_ = [*votes.most_common(1), ("", 0)]
        likeliest = next((s for s in looks if s is not None and s.name == name), UNKNOWN)
        named = likeliest if 2 * count > votes.total() else UNKNOWN
        return [None if script is None else named for script in looks]

    def name_page(self, page: Pixels) -> Script:
        """Of a page in none of PP-OCRv6's own scripts, though its lines look so one by one: the script that all of
        it is seen in, or UNKNOWN.
        """
        (look,) = tesseract.look([np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), np.uint8)])
        return (seen(look.script) if look.confidence >= _SEEN_SURELY else None) or UNKNOWN

    def _ranked(self, greys: Sequence[Grey]) -> list[str]:
        """The languages, those whose script was seen first."""
        votes: Counter[str] = Counter()
        for each in tesseract.look(greys):
            script = seen(each.script)
            if script is not None:
                votes[script.name] += 1
        return sorted(self.languages, key=lambda language: -votes[script_of(language).name])

    def _try(
        self,
        greys: Sequence[Grey],
        best: list[_Entry | None],
        chosen: Sequence[int],
        ranked: Sequence[str],
        tried: set[tuple[int, str]],
        stop: Stop,
    ) -> None:
        """Read the chosen lines with each language in turn, those left out that are settled already."""
        for language in ranked:
            stop()
            unsettled = [
                index
                for index in chosen
                if (index, language) not in tried and ((entry := best[index]) is None or not entry.is_sure())
            ]
            tried.update((index, language) for index in unsettled)
            lines = self._read([greys[index] for index in unsettled], language)
            for index, line in zip(unsettled, lines, strict=True):
                new = _Entry(_likely(line, language), line, language)
                entry = best[index]
                if entry is None or new.lead > entry.lead:
                    best[index] = new

    def _again(self, lines: Sequence[Pixels], best: list[_Entry | None], stop: Stop) -> None:
        """Tesseract's own layout finds nothing in some lines: the page's languages try them cut otherwise."""
        occurring = _occurring(best)
        poor = [index for index, entry in enumerate(best) if entry is None or not entry.is_sure(occurring)]
        greys = [prepared(lines[index], second=True) for index in poor]
        for language, _ in occurring.most_common(_PAGE_LANGUAGES):
            stop()
            for index, line in zip(poor, self._read(greys, language), strict=True):
                new = _Entry(_likely(line, language), TextLine(line.text, line.confidence, ()), language)
                entry = best[index]
                if entry is None or new.lead > entry.lead:
                    best[index] = new

    def _read(self, greys: Sequence[Grey], language: str) -> list[TextLine]:
        """In as many processes as there is work for; each loads the language anew."""
        workers = min(self._workers, len(greys) // _FEW_LINES + 1)
        if workers == 1:
            return tesseract.read(greys, language)
        step = -(-len(greys) // workers)
        parts = [greys[start : start + step] for start in range(0, len(greys), step)]
        with ThreadPoolExecutor(workers) as pool:
            return list(chain.from_iterable(pool.map(lambda part: tesseract.read(part, language), parts)))

    def _with_numbers(self, found: Found, line: TextLine, grey: Grey, reread: Reread) -> Found:
        """Digits, and Latin words among the script's, as PP-OCRv6 reads them.

        Debian's data for Hebrew and Thai hardly know a digit: 1987 became 0008. Words that are none of
        the script's, or that Tesseract doubts, are looked at again, one by one.
        """
        tokens = _tokens(found.text, line)
        doubted = [
            index
            for index, (text, confidence, _, _) in enumerate(tokens)
            if confidence < _DOUBTFUL_WORD or any(sign.isdigit() for sign in text)
        ]
        if not doubted:
            return found
        pictures = [word_image(grey, *_with_gaps(tokens, index)) for index in doubted]
        words = [token[0] for token in tokens]
        for index, (text, score) in zip(doubted, reread(pictures), strict=True):
            if score >= _SURE_NUMBER and _is_foreign(text.strip(), words[index], found.script):
                words[index] = text.strip()
        return Found(" ".join(words), found.confidence, found.language)


def _is_foreign(text: str, was: str, script: Script) -> bool:
    if _NUMBER.fullmatch(text):
        return sum(sign.isdigit() for sign in text) >= 2 or any(sign.isdigit() for sign in was)
    if script.name in _LOOKS_LATIN or share(was, script) >= _OWN_SIGNS or any(sign.isdigit() for sign in was):
        return False
    return len(text) >= 3 and bool(_LATIN.fullmatch(text))


def _tokens(text: str, line: TextLine) -> list[tuple[str, float, int, int]]:
    """The words of `text` between spaces, each with confidence, left and right; none if they do not fit the line's."""
    rest = list(line.words)
    tokens = []
    for token in text.split():
        taken: list[Word] = []
        while rest and len("".join(word.text for word in taken)) < len(token):
            taken.append(rest.pop(0))
        if "".join(word.text for word in taken) != token:
            return []
        confidence = min(word.confidence for word in taken)
        tokens.append((token, confidence, min(word.left for word in taken), max(word.right for word in taken)))
    return tokens


def _with_gaps(tokens: Sequence[tuple[str, float, int, int]], index: int) -> tuple[int, int]:
    """The word's left and right with half the white beside it: its first or last sign may stand there."""
    _, _, left, right = tokens[index]
    before = max((other[3] for other in tokens if other[3] <= left), default=left)
    after = min((other[2] for other in tokens if other[2] >= right), default=right)
    return left - min(_GAP, (left - before) * 3 // 4), right + min(_GAP, (after - right) // 2)


def _accepted(language: str) -> float:
    return _LEAST.get(language, _ACCEPTED)


def _occurring(best: Sequence[_Entry | None]) -> Counter[str]:
    """The languages of lines that are settled, with how many they are."""
    return Counter(entry.language for entry in best if entry is not None and entry.is_sure())


def _likely(line: TextLine, language: str) -> float:
    """Tesseract's confidence, 0 where what it reads is not in the language's own signs."""
    return line.confidence if share(line.text, script_of(language)) >= _OWN_SIGNS else 0.0
