"""Prompts are the official ones, for the weights that the station has."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runtime.tasks.prompts import prompt, tasks_of
from runtime.tasks.task import Ask, Task


def test_the_first_generation_can_do_every_task() -> None:
    assert tasks_of("1.0") == tuple(Task)


def test_the_second_has_no_prompt_for_fields_and_subtitles() -> None:
    assert set(Task) - set(tasks_of("1.5")) == {Task.FIELDS, Task.SUBTITLE}


def test_the_two_generations_differ_in_wording() -> None:
    ask = Ask(task=Task.FORMULA)
    assert prompt(ask, "1.0", "zh") == "识别图片中的公式，用 LaTeX 格式表示。"
    assert prompt(ask, "1.5", "zh") == prompt(ask, "1.5", "en") == "识别图片中的公式，用LaTeX格式表示。"


def test_fields_are_named_in_the_prompt() -> None:
    ask = Ask(task=Task.FIELDS, keys=("单价", "{to}"))
    assert prompt(ask, "1.0", "zh") == "提取图片中的: ['单价', '{to}'] 的字段内容，并按照 JSON 格式返回。"


def test_a_translation_names_its_language() -> None:
    assert "英文" in prompt(Ask(task=Task.TRANSLATE), "1.0", "zh")
    assert "中文" in prompt(Ask(task=Task.TRANSLATE, to="zh"), "1.5", "zh")
    assert "Chinese" in prompt(Ask(task=Task.TRANSLATE, to="zh"), "1.0", "en")


@pytest.mark.parametrize("keys", [(), ("a'b",), ("",), ("a\nb",), ("x" * 65,), ("k",) * 65])
def test_names_that_would_break_the_prompt_are_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        Ask(task=Task.FIELDS, keys=keys)
