"""Lines with their places: `text(x1,y1),(x2,y2)text(x1,y1),(x2,y2)...`, in thousandths of the page.

A text may hold parentheses, even points, so each item is read from its end: of a run of points the
last two are the place, and what stands before them is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from runtime.results import Quad

_POINT = r"\(\s*(\d{1,4})\s*[,，]\s*(\d{1,4})\s*\)"
_RUN = re.compile(rf"{_POINT}(?:\s*[,，]?\s*{_POINT})*")
_PLACE = re.compile(rf"{_POINT}\s*[,，]\s*{_POINT}$")
_TAGS = re.compile(r"</?(?:ref|quad)>")
"""The technical report shows the same answers with tags around text and place."""
_UNITS = 1000


@dataclass(frozen=True)
class Spotted:
    """One line. `place`: x1, y1, x2, y2 in 0..1000, left before right, top before bottom.

    `start`, `end`: where its text stands in the answer.
    """

    text: str
    place: tuple[int, int, int, int]
    start: int
    end: int

    def quad(self, width: int, height: int) -> Quad:
        """Its corners in pixels of a page of `width` x `height`, clockwise from the top left."""
        left, top, right, bottom = (
            round(value * side / _UNITS, 1) for value, side in zip(self.place, (width, height) * 2, strict=True)
        )
        return (left, top), (right, top), (right, bottom), (left, bottom)


def spotted(answer: str) -> tuple[list[Spotted], str]:
    """The lines of `answer` in its order, and what is left over at its end (a line cut short, say)."""
    answer = _TAGS.sub(lambda tag: " " * len(tag[0]), answer)
    items: list[Spotted] = []
    start = 0
    for run in _RUN.finditer(answer):
        place = _PLACE.search(run[0])
        if place is None:
            continue
        text = answer[start : run.start() + place.start()]
        if not text.strip():
            continue  # a place without a text says nothing; the next line's text begins after it
        x1, y1, x2, y2 = (min(_UNITS, int(value)) for value in place.groups())
        begin = start + len(text) - len(text.lstrip())
        box = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
        items.append(Spotted(text.strip(), box, begin, begin + len(text.strip())))
        start = run.end()
    return items, answer[start:].strip()
