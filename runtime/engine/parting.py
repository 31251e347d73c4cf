"""Parting detected lines that run across a gutter, where the page is white there."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from runtime.engine.crops import Pixels, crop
from runtime.layout.geometry import levelled, skew
from runtime.layout.gutters import gutter_through
from runtime.results import Point, Quad

_BLANK = 0.12
"""A column of pixels whose contrast is below this part of the line's greatest is white."""
_WHITE_RUN = 0.35
"""Narrowest gutter within a line, in line heights: wider than the space between words."""


def parted(page: Pixels, quads: Sequence[Quad]) -> list[Quad]:
    """`quads`, those across a gutter cut in two."""
    angle = skew(quads)
    boxes = [levelled(quad, angle) for quad in quads]
    found: list[Quad] = []
    for index, quad in enumerate(quads):
        strip = gutter_through(index, boxes)
        at = None if strip is None else _white_at(page, quad, boxes[index].left, boxes[index].right, strip)
        found += [quad] if at is None else _cut(quad, at)
    return found


def _white_at(page: Pixels, quad: Quad, left: float, right: float, strip: tuple[float, float]) -> float | None:
    """Where along the line, 0..1, the middle of its white run at `strip` is; None if there is ink."""
    line = cv2.cvtColor(crop(page, quad), cv2.COLOR_BGR2GRAY)
    height, width = line.shape[:2]
    scale = width / max(1.0, right - left)
    contrast = line.astype(np.float32).std(axis=0)
    blank = contrast <= _BLANK * float(contrast.max())
    margin = height / 2
    first = max(0, int((strip[0] - left) * scale - margin))
    last = min(width, int((strip[1] - left) * scale + margin))
    best_start, best_length, start = 0, 0, None
    for column in range(first, last + 1):
        if column < last and blank[column]:
            start = column if start is None else start
        elif start is not None:
            if column - start > best_length:
                best_start, best_length = start, column - start
            start = None
    if best_length < _WHITE_RUN * height:
        return None
    return float((best_start + best_length / 2) / width)


def _cut(quad: Quad, at: float) -> list[Quad]:
    def between(one: Point, other: Point) -> Point:
        return one[0] + at * (other[0] - one[0]), one[1] + at * (other[1] - one[1])

    top, bottom = between(quad[0], quad[1]), between(quad[3], quad[2])
    return [(quad[0], top, bottom, quad[3]), (top, quad[1], quad[2], bottom)]
