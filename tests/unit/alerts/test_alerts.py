"""Alerts fire after their time, are over when the figure is good again, and are the operator's to change."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from runtime.alerts.book import AlertBook
from runtime.alerts.rules import AlertRule, Signal, built_in, with_own


def rule(**changes: object) -> AlertRule:
    given = {"name": "full", "signal": "disk", "above": 0.9, "for_s": 30, "zh": "满", "en": "full", **changes}
    return AlertRule.model_validate(given)


def look(book: AlertBook, value: float | None, at: float) -> list[str]:
    return [alert.name for alert in book.look({"disk": value}, now=at, clock=1000 + at)]


def test_a_rule_fires_when_it_was_broken_for_its_time_and_tells_once() -> None:
    book = AlertBook([rule()])
    assert look(book, 0.95, 0) == [] and book.standings()[0].state == "pending"
    assert look(book, 0.96, 29) == [] and book.firing == []
    assert look(book, 0.97, 30) == ["full"]
    assert look(book, 0.99, 40) == []
    (alert,) = book.firing
    assert (alert.since, alert.value, alert.text.zh) == (1030, 0.99, "满")
    assert look(book, 0.5, 50) == [] and book.firing == []
    assert [(over.since, over.until) for over in book.over] == [(1030, 1050)]


def test_a_figure_that_is_good_in_between_begins_the_time_anew() -> None:
    book = AlertBook([rule()])
    for at, value in ((0, 0.95), (20, 0.9), (25, 0.95), (54, 0.95)):
        assert look(book, value, at) == []
    assert look(book, 0.95, 55) == ["full"]


def test_what_the_station_cannot_tell_is_unknown_and_fires_nothing() -> None:
    book = AlertBook([rule(for_s=0)])
    assert look(book, None, 0) == [] and book.standings()[0].state == "unknown"
    assert look(book, 0.95, 1) == ["full"]
    assert look(book, None, 2) == [] and book.firing == []


def test_below_is_the_other_side() -> None:
    book = AlertBook([rule(above=None, below=1, for_s=0)])
    assert look(book, 1, 0) == []
    assert look(book, 0, 1) == ["full"]


def test_what_is_critical_comes_first() -> None:
    book = AlertBook([rule(name="a", for_s=0), rule(name="b", for_s=0, severity="critical")])
    look(book, 1.0, 0)
    assert [alert.name for alert in book.firing] == ["b", "a"]


@pytest.mark.parametrize("bounds", [{}, {"above": 1, "below": 2}])
def test_a_rule_has_one_bound(bounds: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="above or below"):
        rule(**{"above": None, **bounds})


def test_every_built_in_rule_says_what_to_do_in_both_languages() -> None:
    rules = built_in()
    assert {each.signal for each in rules} == set(get_args(Signal)), "every figure has its rule"
    assert len({each.name for each in rules}) == len(rules)
    assert all(each.en.strip() and any("一" <= sign <= "鿿" for sign in each.zh) for each in rules)


def test_the_operators_rule_takes_the_place_of_ours() -> None:
    own = rule(name="slow", signal="latency_p95_s", above=10.0), rule(name="queue", off=True), rule()
    found = {each.name: each for each in with_own(own)}
    assert found["slow"].above == 10.0 and "queue" not in found and "full" in found
    assert len(found) == len(built_in())
