"""The station's measures, held against those of others and against cases with known answers."""

from __future__ import annotations

import random

import pytest
from rapidfuzz.distance import Levenshtein

from runtime.evaluate.measures import FieldCount, characters, distance, fields, normalised, words
from tests.pages import cer


def test_the_distance_is_rapidfuzzs() -> None:
    chance = random.Random(1)
    for _ in range(500):
        one, other = ("".join(chance.choices("ab字 ", k=chance.randint(0, 90))) for _ in range(2))
        assert distance(one, other) == Levenshtein.distance(one, other), (one, other)
    assert distance(["a", "b"], ["b"]) == 1


@pytest.mark.parametrize("text", ["", " a\n b ", "１２ ３", "中文 和 latin 字", "词\n语", "a  b\tc"])
def test_texts_are_seen_as_the_tests_see_them(text: str) -> None:
    assert normalised(text) == cer.normalised(text)


def test_rates_are_edits_over_length() -> None:
    assert characters("abcd", "abxd").rate == 0.25
    assert words("the old road", "the odd road").rate == pytest.approx(1 / 3)
    assert (characters("abcd", "abcd") + characters("ab", "")).rate == pytest.approx(2 / 6)
    assert characters("", "").rate == 0 and characters("", "x").rate == 1


@pytest.mark.parametrize(
    ("read", "count"),
    [
        ({"a": "1", "b": "2"}, FieldCount(2, 0, 0)),
        ({"a": "１ ", "b": ""}, FieldCount(1, 0, 1)),
        ({"a": "1", "b": "3", "c": "4"}, FieldCount(1, 2, 1)),
        ({}, FieldCount(0, 0, 2)),
    ],
)
def test_a_wrong_field_is_both_wrong_and_missed(read: dict[str, str], count: FieldCount) -> None:
    assert fields({"a": "1", "b": "2"}, read) == count


def test_f1_weighs_what_is_wrong_and_what_is_missed() -> None:
    assert FieldCount(3, 1, 1).f1 == 0.75
    assert FieldCount().f1 == 1.0
