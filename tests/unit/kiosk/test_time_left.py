"""What a batch is said to take yet can be believed, also while one page outlasts the others."""

from __future__ import annotations

import pytest

from runtime.kiosk.time_left import time_left_s


def test_nothing_is_said_before_a_page_was_read() -> None:
    assert time_left_s([], 5, [3.0], 1) is None


def test_pages_that_wait_take_what_the_last_ones_took() -> None:
    assert time_left_s([2.0, 4.0], 10, [], 1) == pytest.approx(30)
    assert time_left_s([2.0, 4.0], 10, [], 2) == pytest.approx(15)
    assert time_left_s([100.0] * 50 + [1.0] * 20, 1, [], 1) == pytest.approx(1), "of the last twenty alone"


def test_a_page_in_hand_is_one_of_those_that_took_longer() -> None:
    assert time_left_s([1.0, 5.0], 0, [2.0], 1) == pytest.approx(3)


def test_a_page_that_outlasts_all_others_is_never_said_to_be_all_but_done() -> None:
    for passed_s in (1.5, 10.0, 60.0):
        assert time_left_s([1.0, 1.0, 1.0], 0, [passed_s], 1) == pytest.approx(passed_s)


def test_pages_side_by_side_take_no_less_than_the_longest_of_them() -> None:
    assert time_left_s([1.0], 0, [10.0, 0.5, 0.5, 0.5], 4) == pytest.approx(10)


def test_all_is_read() -> None:
    assert time_left_s([1.0], 0, [], 1) == 0
