"""Printed lines cut into spans: what is a label of the form, and the text between labels."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.layout.direction import runs_left
from runtime.layout.geometry import Box, levelled, skew
from runtime.layout.spacing import is_wide
from runtime.results import Line, Quad

_TRIMMED = " \t\u3000:：,，;；|·•*_=—"
_SURE_LABEL = 4
"""Labels at least this long may be misread by one sign, twice as long by two."""


@dataclass(frozen=True)
class Span:
    """Part of a printed line. `label`: the label it is, as the form spells it, or "" for other text.

    `quad` is where it lies on the page; `box` the same with the page's skew taken out.
    `line`: index of the printed line; `follows`: the label right before it in the same line.
    """

    text: str
    label: str
    quad: Quad
    box: Box
    score: float
    line: int
    follows: str = ""


@dataclass(frozen=True)
class _Squeezed:
    """A line without white space, folded; `at[i]` is where its i-th sign stands in the line."""

    signs: str
    at: tuple[int, ...]


def spans_of(lines: Sequence[Line], labels: Iterable[str]) -> list[Span]:
    """Every line's spans, in the order of the lines and left to right within each."""
    angle = skew([line.box for line in lines])
    wanted = sorted({(folded(label), label) for label in labels}, key=lambda pair: -len(pair[0]))
    found: list[Span] = []
    for index, line in enumerate(lines):
        found += _cut(index, line, wanted, angle)
    return found


def folded(text: str) -> str:
    """`text` in NFKC, lower case, without white space: what labels are compared in."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def trimmed(text: str) -> str:
    """`text` without the colons and rules that part it from its label."""
    return text.strip(_TRIMMED)


def _cut(index: int, line: Line, labels: Sequence[tuple[str, str]], angle: float) -> list[Span]:
    marks = _labels_in(line.text, labels)
    spans: list[Span] = []
    at, before = 0, ""
    for start, end, label in [*marks, (len(line.text), len(line.text), "")]:
        if trimmed(line.text[at:start]):
            spans.append(_span(index, line, at, start, "", before, angle))
        if label:
            spans.append(_span(index, line, start, end, label, "", angle))
        at, before = end, label
    return spans


def part_of(line: Line, start: int, end: int) -> Quad:
    """Where signs `start` to `end` of a line lie, a wide sign taken for twice a narrow one.

    Lines that run from right to left begin at their right.
    """
    weights = [2 if is_wide(sign) else 1 for sign in line.text]
    total = sum(weights) or 1
    first, last = sum(weights[:start]) / total, sum(weights[:end]) / total
    if runs_left(line.text):
        first, last = 1 - last, 1 - first
    top_left, top_right, bottom_right, bottom_left = line.box

    def along(one: tuple[float, float], other: tuple[float, float], way: float) -> tuple[float, float]:
        return round(one[0] + way * (other[0] - one[0]), 1), round(one[1] + way * (other[1] - one[1]), 1)

    return (
        along(top_left, top_right, first),
        along(top_left, top_right, last),
        along(bottom_left, bottom_right, last),
        along(bottom_left, bottom_right, first),
    )


def _span(index: int, line: Line, start: int, end: int, label: str, follows: str, angle: float) -> Span:
    raw = line.text[start:end]
    if not label:
        start += len(raw) - len(raw.lstrip(_TRIMMED))
        end -= len(raw) - len(raw.rstrip(_TRIMMED))
    quad = part_of(line, start, end)
    return Span(line.text[start:end], label, quad, levelled(quad, angle), line.score, index, follows)


def _labels_in(text: str, labels: Sequence[tuple[str, str]]) -> list[tuple[int, int, str]]:
    """Where labels stand in a line: start, end and label; the longest first, none over another.

    What is exactly a label is never taken for a misread other one: 发票号码, 发票代码.
    """
    line = _squeeze(text)
    taken: list[tuple[int, int, str]] = []
    for places in (_exact_places, _misread_places):
        for sought, label in labels:
            for start in places(line, text, sought):
                first, last = line.at[start], line.at[start + len(sought) - 1] + 1
                if all(last <= other[0] or first >= other[1] for other in taken):
                    taken.append((first, last, label))
    return sorted(taken)


def _exact_places(line: _Squeezed, text: str, sought: str) -> list[int]:
    if not sought:
        return []
    starts = [found.start() for found in re.finditer(re.escape(sought), line.signs)]
    return [start for start in starts if _stands_alone(line, text, start, start + len(sought))]


def _misread_places(line: _Squeezed, _: str, sought: str) -> list[int]:
    """The line's beginning, if it differs from a long label by a sign or two."""
    if len(sought) < _SURE_LABEL or len(line.signs) < len(sought):
        return []
    wrong = sum(a != b for a, b in zip(line.signs, sought, strict=False))
    return [0] if wrong <= (2 if len(sought) >= 2 * _SURE_LABEL else 1) else []


def _stands_alone(line: _Squeezed, text: str, start: int, end: int) -> bool:
    """Latin labels are whole words; Chinese ones, set solid, may follow a value at once."""
    first, last = line.at[start], line.at[end - 1]
    before = text[first - 1] if first else " "
    after = text[last + 1] if last + 1 < len(text) else " "
    if text[first].isascii() and text[first].isalnum() and before.isascii() and before.isalnum():
        return False
    return not (text[last].isascii() and text[last].isalnum() and after.isascii() and after.isalnum())


def _squeeze(text: str) -> _Squeezed:
    signs: list[str] = []
    at: list[int] = []
    for place, sign in enumerate(text):
        for each in folded(sign):
            signs.append(each)
            at.append(place)
    return _Squeezed("".join(signs), tuple(at))
