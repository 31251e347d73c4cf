"""A page as all outputs take it: what was read, the form that it is, boxes normalised."""

from __future__ import annotations

from runtime.fields.reading import Box1000, Fields
from runtime.results import Finish, Line, PageResult


class FullLine(Line):
    """A line, with its box in thousandths of the page too: left, top, right, bottom."""

    box_1000: Box1000


class FullPage(PageResult):
    """All that is known of a page. `form`: which it is, and its fields with their evidence."""

    lines: tuple[FullLine, ...]
    form: Fields | None = None
    finish_reason: Finish = "complete"
    truncated: bool = False
    repaired: bool = False
