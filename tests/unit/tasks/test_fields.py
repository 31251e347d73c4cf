"""Fields are read as written; only a mistake that could mean one thing is set right, and said."""

from __future__ import annotations

import pytest

from runtime.tasks.fields import Fields, fields


@pytest.mark.parametrize(
    "answer",
    [
        '```json\n{\n    "单价": "3.00",\n    "里程": "26.1km"\n}\n```',
        '{"单价": "3.00", "里程": "26.1km"}',
        'Here it is:\n```\n{"单价": "3.00", "里程": "26.1km"}\n``` done',
        '```json\n{"单价": "3.00", "里程": "26.1km"}',
        'the fields: {"单价": 3.00, "里程": "26.1km"}',
    ],
)
def test_an_object_is_found_with_or_without_its_fence(answer: str) -> None:
    assert fields(answer) == Fields({"单价": "3.00", "里程": "26.1km"})


@pytest.mark.parametrize(
    "answer",
    [
        '{"a": "1", "b": "2",}',
        '```json\n{"a": "1",\n"b": "2"\n```',
        '{"a": "1", "b": "2",',
        '{"a"："1"，"b": "2"}',
    ],
)
def test_a_mistake_that_can_mean_one_thing_is_set_right_and_said(answer: str) -> None:
    assert fields(answer) == Fields({"a": "1", "b": "2"}, repaired=True)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no object",
        '{"a": "1", "b": "2',
        '{"a": "1", "b"',
        '{"a": "1", "a": "2"}',
        '["a", "b"]',
        "{'a': '1'}",
        '{"a": "1"]',
    ],
)
def test_what_could_mean_more_than_one_thing_is_not_guessed(answer: str) -> None:
    assert fields(answer) is None


def test_digits_and_marks_within_values_stay_as_they_are() -> None:
    assert fields('{"no": "00042", "x": "a，b：c,}",}') == Fields({"no": "00042", "x": "a，b：c,}"}, repaired=True)
    assert fields('{"sum": 1234567890123456789.10, "none": null, "list": ["a", "b"]}') == Fields(
        {"sum": "1234567890123456789.10", "none": "", "list": '["a", "b"]'}
    )
