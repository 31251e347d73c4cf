"""Which way up a page stands, told from its longest lines.

Cheap where pages are upright, as nearly all are: the detector's boxes are there anyway and tell
lying lines from standing ones; a small classifier looks at a few. Only on its doubt does the
recogniser read those lines both ways, and only a clear win turns the page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Literal

from runtime.engine.crops import Pixels, crop, laid_flat, turned
from runtime.results import Quad

Rotation = Literal[0, 90, 180, 270]
Classify = Callable[[Sequence[Pixels]], Sequence[bool]]
"""True for each line that stands on its head."""
Score = Callable[[Sequence[Pixels]], Sequence[float]]
"""How sure the recogniser is of each line, 0..1."""

_LOOKED_AT = 6
_READ = 4
_ELONGATED = 2.0
_UPRIGHT = math.tan(math.radians(15))
_CLEARLY = 0.08
"""By how much the mean score must win before a page is turned."""


def _sides(quad: Quad) -> tuple[float, float]:
    return math.dist(quad[0], quad[1]), math.dist(quad[0], quad[3])


def from_top_left(quad: Quad) -> Quad:
    """`quad`, clockwise, from its top left corner on, where its first side stands nearly upright.

    The detector begins with another corner where a standing line leans: it would be read, but not
    be seen to stand.
    """
    (x, y), (next_x, next_y) = quad[:2]
    if abs(next_x - x) >= _UPRIGHT * abs(next_y - y):
        return quad
    first, second, third, fourth = quad
    return (fourth, first, second, third) if next_y > y else (second, third, fourth, first)


def stands_sideways(quads: Sequence[Quad]) -> bool:
    """True if most of the page's print, by length, runs up or down."""
    lying = standing = 0.0
    for width, height in map(_sides, quads):
        if width >= _ELONGATED * height:
            lying += width
        elif height >= _ELONGATED * width:
            standing += height
    return standing > 2 * lying


def longest(quads: Sequence[Quad], count: int) -> list[Quad]:
    """The `count` quads with the longest sides."""
    return sorted(quads, key=lambda quad: -max(_sides(quad)))[:count]


def rotation_of(page: Pixels, quads: Sequence[Quad], classify: Classify, score: Score) -> Rotation:
    """Degrees clockwise by which the page must be turned to stand upright; 0 in any doubt."""
    if not quads:
        return 0
    if stands_sideways(quads):
        return _quarter_turn([crop(page, quad) for quad in longest(quads, _READ)], score)
    lines = [crop(page, quad) for quad in longest(quads, _LOOKED_AT)]
    on_head = classify(lines)
    if 2 * sum(on_head) < len(lines):
        return 0
    return half_turn(page, quads, score)


def half_turn(page: Pixels, quads: Sequence[Quad], score: Score) -> Literal[0, 180]:
    """180 if the page's longest lines read clearly better upside down."""
    lines = [crop(page, quad) for quad in longest(quads, _READ)]
    if not lines:
        return 0
    as_is, flipped = fmean(score(lines)), fmean(score([turned(line, 180) for line in lines]))
    return 180 if flipped > as_is + _CLEARLY else 0


def _quarter_turn(lines: Sequence[Pixels], score: Score) -> Rotation:
    """Vertical writing stands sideways too, but its signs are upright: it must win nothing by turning."""
    upright = fmean(score([laid_flat(line) for line in lines]))
    clockwise = fmean(score([turned(line, 90) for line in lines]))
    counter = fmean(score([turned(line, 270) for line in lines]))
    if max(clockwise, counter) <= upright + _CLEARLY:
        return 0
    return 90 if clockwise > counter else 270
