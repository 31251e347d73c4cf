"""Lines and places are read from the end of each item, whatever its text holds."""

from __future__ import annotations

import pytest

from runtime.tasks.spotting import spotted


def read(answer: str) -> list[tuple[str, tuple[int, int, int, int]]]:
    items, rest = spotted(answer)
    assert rest == ""
    return [(item.text, item.place) for item in items]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("plain", "plain"),
        ("第(3)页", "parentheses"),
        ("f(1,2)", "a point at the end"),
        ("(1,2),(3,4)", "a place as text"),
        ("see (12,5) and (7)", "points within"),
        ("a(", "an open parenthesis"),
        ("1,2),", "half a point"),
    ],
)
def test_a_text_may_hold_what_a_place_is_made_of(text: str, name: str) -> None:
    assert read(f"{text}(10,20),(300,40)next(0,50),(1000,60)") == [
        (text, (10, 20, 300, 40)),
        ("next", (0, 50, 1000, 60)),
    ], name


def test_places_become_pixels_of_the_page() -> None:
    (item,), _ = spotted("a(100,500),(1000,750)")
    assert item.quad(200, 80) == ((20.0, 40.0), (200.0, 40.0), (200.0, 60.0), (20.0, 60.0))


def test_two_lines_at_one_place_stay_apart() -> None:
    assert read("a(1,2),(3,4)a(1,2),(3,4)") == [("a", (1, 2, 3, 4))] * 2


def test_a_place_beyond_the_page_is_brought_back_and_a_turned_one_set_right() -> None:
    assert read("a(900,40),(10,1024)") == [("a", (10, 40, 900, 1000))]


def test_an_item_cut_short_is_left_over() -> None:
    items, rest = spotted("a(1,2),(3,4)b(5,6),(7")
    assert [item.text for item in items] == ["a"] and rest == "b(5,6),(7"


def test_tags_line_breaks_and_places_without_text_are_not_text() -> None:
    assert read("<ref>亲爱的</ref><quad>(22,160),(888,788)</quad>") == [("亲爱的", (22, 160, 888, 788))]
    assert read("a(1,2),(3,4)\nb (5, 6), (7, 8)\n") == [("a", (1, 2, 3, 4)), ("b", (5, 6, 7, 8))]
    assert spotted("(156,68),(783,758)")[0] == []


def test_each_text_is_found_again_in_the_answer() -> None:
    answer = "<ref> one </ref><quad>(1,2),(3,4)</quad>two(5,6),(7,8)"
    items, _ = spotted(answer)
    assert [answer[item.start : item.end] for item in items] == ["one", "two"]
