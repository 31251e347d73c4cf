"""Pages and regions as callers write them."""

from __future__ import annotations

import pytest

from runtime.documents.parts import Region
from runtime.documents.selection import chosen_pages, chosen_region
from runtime.problems import Problem


@pytest.mark.parametrize(
    ("text", "pages"),
    [("", [0, 1, 2, 3]), ("2", [1]), ("1-3", [0, 1, 2]), ("3-", [2, 3]), ("-2", [0, 1]), ("4, 1-2, 2", [3, 0, 1])],
)
def test_pages_are_chosen_in_the_order_asked_for_each_once(text: str, pages: list[int]) -> None:
    assert chosen_pages(text, 4) == pages


@pytest.mark.parametrize("text", ["0", "5", "3-2", "1-9", "a", "-", "1;2", "1--2", "99999999999999"])
def test_pages_that_are_not_there_or_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        chosen_pages(text, 4)
    assert refused.value.kind.code in ("no-such-page", "bad-request")


def test_a_region_is_four_thousandths() -> None:
    assert chosen_region("0,10,500,1000") == Region(left=0, top=10, right=500, bottom=1000)
    assert chosen_region("") is None
    for text in ("1,2,3", "a,b,c,d", "500,0,400,10", "0,0,1001,10", "-1,0,5,5"):
        with pytest.raises(Problem):
            chosen_region(text)
