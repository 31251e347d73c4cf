"""A loop is stopped; what merely repeats itself a little is not."""

from __future__ import annotations

import pytest

from runtime.tasks.repetition import FIRST_LOOK, TailGuard, tail_repeats, without_repeated_tail


@pytest.mark.parametrize("unit", ["a", "ab", "<td></td>", "的", "x" * 255 + "y"])
def test_a_tail_of_eight_copies_is_a_loop(unit: str) -> None:
    assert tail_repeats("before " + unit * 8)
    assert not tail_repeats("before" + "|".join(str(n) + unit for n in range(8)))


def test_seven_copies_and_white_space_are_none() -> None:
    assert not tail_repeats("before" + "abc" * 7)
    assert not tail_repeats("before" + " \n" * 50)


def test_a_long_answer_is_stopped_soon_after_it_begins_to_loop() -> None:
    guard = TailGuard()
    text = "".join(f"line {number}\n" for number in range(600))
    stopped = 0
    while not guard.loops(text):
        text += "again and "
        stopped += 1
        assert stopped < 1000
    assert len(text) > FIRST_LOOK


def test_a_short_answer_is_never_suspected() -> None:
    guard = TailGuard()
    assert not any(guard.loops("a" * length) for length in range(0, FIRST_LOOK, 7))


def test_a_page_of_figures_is_not_a_loop() -> None:
    guard = TailGuard()
    text = ""
    for number in range(900):
        text += f"<tr><td>{number}</td><td>0.00</td><td>0.00</td></tr>"
        assert not guard.loops(text)


def test_the_copies_are_cut_down_to_one() -> None:
    assert without_repeated_tail("s" + "x" * 3 + "ab" * 2000) == "s" + "x" * 3 + "ab"
    assert without_repeated_tail("ab" * 100) == "ab" * 100
    unlike = "".join(f"{number} " for number in range(3000))
    assert without_repeated_tail(unlike) == unlike
