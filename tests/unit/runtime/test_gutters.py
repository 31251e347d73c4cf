"""Lines drawn across a gutter are told from lines that mean to cross it."""

from __future__ import annotations

from runtime.layout.geometry import Box
from runtime.layout.gutters import gutter_through


def columns(rows: int, top: float = 0) -> list[Box]:
    return [Box(left, top + 24 * row, left + 300, top + 24 * row + 20) for row in range(rows) for left in (0, 320)]


def test_a_line_joined_across_the_gutter_is_told_by_its_neighbours() -> None:
    joined = Box(0, 0, 620, 20)
    assert gutter_through(0, [joined, *columns(5, top=24)]) == (300, 320)


def test_a_second_joined_line_does_not_hide_the_gutter() -> None:
    boxes = [Box(0, 0, 620, 20), Box(0, 24, 620, 44), *columns(5, top=48)]
    assert gutter_through(0, boxes) == (300, 320)


def test_lines_of_one_wide_column_have_none() -> None:
    boxes = [Box(0, 24 * row, 620, 24 * row + 20) for row in range(8)]
    assert all(gutter_through(index, boxes) is None for index in range(8))


def test_a_title_in_larger_type_is_not_asked() -> None:
    assert gutter_through(0, [Box(0, 0, 620, 50), *columns(5, top=60)]) is None


def test_two_witnesses_are_too_few() -> None:
    assert gutter_through(0, [Box(0, 0, 620, 20), *columns(2, top=24)]) is None


def test_a_line_within_its_column_is_left_alone() -> None:
    boxes = columns(6)
    assert all(gutter_through(index, boxes) is None for index in range(len(boxes)))
