"""An answer becomes a result in its task's form, and says what to know before it is trusted."""

from __future__ import annotations

import math

import pytest

from runtime.tasks.answers import Answer, Token, content
from runtime.tasks.task import Ask, Task


def test_spotted_lines_carry_pixels_and_the_models_own_certainty() -> None:
    raw = "ab(0,0),(500,1000)c(500,0),(1000,1000)"
    tokens = [Token(1, 0, math.log(0.9)), Token(2, 1, math.log(0.4)), Token(3, 2, math.log(0.01))]
    made = content(Ask(task=Task.SPOTTING), Answer(raw, "complete", tokens), 100, 50)
    assert [line.text for line in made["lines"]] == ["ab", "c"] and made["text"] == "ab\nc"
    assert made["lines"][0].box == ((0, 0), (50, 0), (50, 50), (0, 50))
    assert made["lines"][0].score == pytest.approx(0.6) and made["lines"][1].score == 1
    assert made["warnings"] == () and made["generation"].raw == raw and made["generation"].tokens == 3


def test_equal_tokens_have_equal_digests() -> None:
    def digest(*numbers: int) -> str:
        tokens = [Token(number, 0, 0.0) for number in numbers]
        return content(Ask(), Answer("", "complete", tokens), 1, 1)["generation"].token_digest

    assert digest(1, 23) == digest(1, 23) != digest(12, 3)


def test_fields_that_cannot_be_read_are_given_raw_with_a_warning() -> None:
    ask = Ask(task=Task.FIELDS, keys=("a",))
    made = content(ask, Answer('{"a": "12', "truncated"), 1, 1)
    assert made["fields"] is None and made["text"] == '{"a": "12'
    assert made["warnings"] == ("truncated", "unparsed")
    assert content(ask, Answer('{"a": "1",}', "complete"), 1, 1)["warnings"] == ("repaired",)


def test_a_table_is_given_as_html_and_as_cells() -> None:
    html = "<table><tr><td>a</td></tr></table>"
    made = content(Ask(task=Task.TABLE), Answer(html, "complete"), 1, 1)
    assert made["text"] == html and made["tables"] == ((("a",),),) and made["warnings"] == ()
    assert content(Ask(task=Task.TABLE), Answer("words", "complete"), 1, 1)["warnings"] == ("unparsed",)


def test_a_loops_copies_are_not_given_to_anyone() -> None:
    made = content(Ask(), Answer("start " + "again " * 900, "repeating"), 1, 1)
    assert made["text"] == "start again" and made["warnings"] == ("repeating",)


@pytest.mark.parametrize("task", [task for task in Task if task is not Task.FIELDS])
def test_no_answer_is_too_strange(task: Task) -> None:
    for raw in ("", "(1,2),(3,4)", "<td>", "```", "\0", "｛" * 50):
        assert isinstance(content(Ask(task=task), Answer(raw, "complete"), 10, 10)["text"], str)
