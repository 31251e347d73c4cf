"""Which pages, and which part of them: `pages=1-3,7`, `region=0,0,1000,500`."""

from __future__ import annotations

import re

from pydantic import ValidationError

from runtime.documents.parts import Region
from runtime.documents.refusals import NO_SUCH_PAGE
from runtime.problems import BAD_REQUEST, Problem

_RANGE = re.compile(r"(\d{1,6})?(-)?(\d{1,6})?", re.ASCII)


def chosen_pages(text: str, count: int) -> list[int]:
    """Page numbers from 0, each once, in the order asked for; all `count` of them for "".

    `2-` is to the end, `-3` from the start. Raises Problem: BAD_REQUEST, NO_SUCH_PAGE.
    """
    if not text.strip():
        return list(range(count))
    chosen: dict[int, None] = {}
    for part in text.split(","):
        found = _RANGE.fullmatch(part.strip())
        if found is None or not (found[1] or found[3]):
            raise Problem(BAD_REQUEST, "pages: numbers and ranges, such as 1-3,7.")
        first = int(found[1] or 1)
        last = int(found[3] or count) if found[2] else first
        if not 1 <= first <= last <= count:
            raise Problem(NO_SUCH_PAGE, f"It has {count} pages.")
        chosen.update(dict.fromkeys(range(first - 1, last)))
    return list(chosen)


def chosen_region(text: str) -> Region | None:
    """Left, top, right and bottom in thousandths of the page; None for "". Raises Problem(BAD_REQUEST)."""
    if not text.strip():
        return None
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
        return Region(left=left, top=top, right=right, bottom=bottom)
    except (ValueError, ValidationError):
        raise Problem(BAD_REQUEST, "region: left,top,right,bottom in thousandths of the page.") from None
