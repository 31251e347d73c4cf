"""Lines that stand, in whatever corner their quads begin."""

from __future__ import annotations

import math

import pytest

from runtime.engine.turning import from_top_left, stands_sideways
from runtime.results import Quad


def line(degrees: float, width: float = 400, height: float = 30) -> Quad:
    """A line turned clockwise about the origin; its first corner is its text's top left."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = ((0, 0), (width, 0), (width, height), (0, height))
    a, b, c, d = ((x * cosine - y * sine, x * sine + y * cosine) for x, y in corners)
    return a, b, c, d


@pytest.mark.parametrize("degrees", [80, 85, 90, 95, 100, 260, 265, 270, 275, 280])
def test_a_line_that_leans_is_seen_to_stand(degrees: float) -> None:
    quad = from_top_left(line(degrees))
    (left, top), (right, _) = quad[:2]
    assert right - left == pytest.approx(30 * abs(math.sin(math.radians(degrees)))) and right > left
    assert top < quad[3][1]
    assert stands_sideways([quad] * 3)


@pytest.mark.parametrize("degrees", [-60, -14, 0, 14, 60])
def test_a_line_that_lies_or_slants_is_left_as_it_was_found(degrees: float) -> None:
    assert from_top_left(line(degrees)) == line(degrees)
