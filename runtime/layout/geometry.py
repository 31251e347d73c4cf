"""Boxes of text lines, and the page's small skew taken out of them before layout looks at them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from runtime.results import Point, Quad

_ELONGATED = 3.0
"""Only boxes this much wider than high say anything about the page's angle."""
_MAX_SKEW = math.radians(15)
_GROWN = 0.2
"""How far a text detector's box reaches past each end of its line, in box heights (measured)."""


@dataclass(frozen=True)
class Fragment:
    """A piece of a printed line, as the detector found it.

    `quad`: corners in pixels of the upright page, clockwise from the text's top left.
    `score`: the recogniser's confidence, 0..1. `reader`: see Line.
    """

    text: str
    quad: Quad
    score: float
    reader: str | None = None


@dataclass(frozen=True)
class Box:
    """An upright rectangle, in pixels; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    def rows_shared(self, other: Box) -> float:
        """How much of the lower of the two boxes' height both cover: 0 apart, 1 side by side."""
        shared = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, shared) / max(1e-6, min(self.height, other.height))


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds all `boxes`, of which there is at least one."""
    held = list(boxes)
    return Box(
        min(box.left for box in held),
        min(box.top for box in held),
        max(box.right for box in held),
        max(box.bottom for box in held),
    )


def skew(quads: Sequence[Quad]) -> float:
    """The page's skew in radians, clockwise positive: the median slope of its long lines, 0 if unclear."""
    slopes = []
    for top_left, top_right, _, bottom_left in quads:
        width = math.dist(top_left, top_right)
        if width > _ELONGATED * max(1.0, math.dist(top_left, bottom_left)):
            slopes.append(math.atan2(top_right[1] - top_left[1], top_right[0] - top_left[0]))
    gentle = [slope for slope in slopes if abs(slope) < _MAX_SKEW]
    return median(gentle) if len(gentle) >= 3 else 0.0


def levelled(quad: Quad, angle: float) -> Box:
    """`quad` turned back by `angle` radians about the origin, as an upright box through its side middles.

    Edges are averaged: the corners of a skewed line's hull would reach into its neighbours' rows.
    Ends are drawn in by what the detector grew them, or a narrow gutter would be closed.
    """
    cosine, sine = math.cos(angle), math.sin(angle)

    def turned(point: Point) -> Point:
        return point[0] * cosine + point[1] * sine, point[1] * cosine - point[0] * sine

    first, second, third, fourth = (turned(point) for point in quad)
    left, right = (first[0] + fourth[0]) / 2, (second[0] + third[0]) / 2
    top, bottom = (first[1] + second[1]) / 2, (third[1] + fourth[1]) / 2
    inset = min(_GROWN * (bottom - top), (right - left) / 4)
    return Box(left + inset, top, right - inset, bottom)


def mirrored(box: Box) -> Box:
    """`box` as a mirror shows it: what is read from right to left is then read from left to right."""
    return Box(-box.right, box.top, -box.left, box.bottom)


def joined_quad(quads: Sequence[Quad]) -> Quad:
    """One box for the pieces of a line, given left to right: it keeps their slant."""
    if len(quads) == 1:
        return quads[0]
    first, last = quads[0], quads[-1]
    return first[0], last[1], last[2], first[3]
