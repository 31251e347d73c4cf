"""Lines that a detector has drawn across a gutter, told by the lines above and below that respect it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from runtime.layout.geometry import Box

_NEIGHBOURHOOD = 5.5
"""How far above and below, in line heights, lines bear witness."""
_WITNESSES = 3
_SAME_ROW = 0.6
_SAME_TYPE = 0.65
_INSIDE = 2.0
"""A gutter nearer than this to the line's end, in line heights, parts no columns."""


def gutter_through(index: int, boxes: Sequence[Box]) -> tuple[float, float] | None:
    """The left and right edge of the white strip that `boxes[index]` seems to cross, or None.

    Whether the strip is white within the line itself is for the caller to look at: a heading over
    two columns crosses the same strip and means it.
    """
    box = boxes[index]
    near = [
        other
        for other in boxes
        if abs(other.middle - box.middle) <= _NEIGHBOURHOOD * box.height
        and other.rows_shared(box) < _SAME_ROW
        and min(other.height, box.height) >= _SAME_TYPE * max(other.height, box.height)
    ]
    inside = (box.left + _INSIDE * box.height, box.right - _INSIDE * box.height)
    strips = [strip for strip in map(_strip_after, near, [near] * len(near)) if strip is not None]
    strips = [strip for strip in strips if inside[0] < sum(strip) / 2 < inside[1]]
    if len(strips) < _WITNESSES:
        return None
    middle = median(sum(strip) / 2 for strip in strips)
    agreeing = [strip for strip in strips if strip[0] <= middle <= strip[1]]
    margin = box.height / 2
    crossing = sum(other.left < middle - margin and other.right > middle + margin for other in near)
    if len(agreeing) < _WITNESSES or 2 * crossing > len(agreeing):
        return None
    return max(strip[0] for strip in agreeing), min(strip[1] for strip in agreeing)


def _strip_after(box: Box, boxes: Sequence[Box]) -> tuple[float, float] | None:
    """The white between `box` and the next box in its row."""
    following = [other.left for other in boxes if other.left > box.right and other.rows_shared(box) >= _SAME_ROW]
    return (box.right, min(following)) if following else None
