"""Alerts fire after their time, are over when the figure is good again, and are the operator's to change."""

from __future__ import annotations

from itertools import pairwise
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


def test_alerts_of_an_earlier_day_come_after_todays_and_go_with_a_lock() -> None:
    earlier, today = AlertBook([rule()]), AlertBook([rule()])
    for at, value in ((0, 0.95), (30, 0.95), (40, 0.5), (100, 0.95), (130, 0.95)):
        look(earlier, value, at)
    kept = earlier.dumped()
    for at, value in ((500, 0.95), (530, 0.95), (540, 0.5)):
        look(today, value, at)
    today.take_in(kept)
    today.take_in(kept)
    # The one that fired when the station was switched off: nobody knows until when.
    assert [(over.since, over.until) for over in today.over] == [(1530, 1540), (1130, None), (1030, 1040)]
    assert today.firing == []
    today.forget_earlier()
    assert [over.since for over in today.over] == [1530]


def test_what_an_alert_book_keeps_is_written_anew_only_when_an_alert_begins_or_ends() -> None:
    book = AlertBook([rule(for_s=0)])
    seen = []
    for at, value in ((0, 0.5), (1, 0.95), (2, 0.96), (3, 0.5), (4, 0.6)):
        look(book, value, at)
        seen.append(book.changes)
    assert [before == after for before, after in pairwise(seen)] == [False, True, False, True]


def test_an_alert_book_remembers_so_many_and_no_damaged_ones() -> None:
    book = AlertBook([rule(for_s=0)])
    for at in range(0, 500, 2):
        look(book, 0.95, at)
        look(book, 0.5, at + 1)
    other = AlertBook([])
    other.take_in(book.dumped())
    assert len(other.over) == 100 and other.over[0].since == 1498
    for damaged in (b"", b"{}", b'[{"name": "x"}]'):
        with pytest.raises(ValueError):
            other.take_in(damaged)
    assert len(other.over) == 100
