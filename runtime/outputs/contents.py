"""What stands on a page, in order, where its engine gave text without places: lines and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.fields.reading import thousandths
from runtime.outputs.pages import FullLine, FullPage
from runtime.tasks.tables import Table, tables

TABLE = re.compile(r"<table\b.*?(?:</table\s*>|\Z)", re.DOTALL | re.IGNORECASE)
"""A table in a model's answer, also one cut off before its end."""


def contents(page: FullPage) -> Iterator[str | Table]:
    """The text between tables, and the tables as rows of cells; tables that the text does not hold come last."""
    at = 0
    for found in TABLE.finditer(page.text):
        yield page.text[at : found.start()]
        yield from tables(found[0])
        at = found.end()
    yield page.text[at:]
    if not at:
        yield from page.tables


def text_lines(page: FullPage) -> list[str]:
    """The page's lines of text, a table's row being one; blank ones are left out."""
    found: list[str] = []
    for part in contents(page):
        found += part.split("\n") if isinstance(part, str) else ["  ".join(row) for row in part]
    return [line.strip() for line in found if line.strip()]


def spread(page: FullPage) -> FullPage:
    """`page` with its text in lines that share its height evenly, if its engine gave no places.

    A PDF is then found by its words, on the right page though not in the right place.
    """
    texts = text_lines(page)
    if page.lines or not texts:
        return page
    height = page.height / len(texts)
    lines = []
    for index, text in enumerate(texts):
        top, bottom, right = index * height, (index + 0.8) * height, float(page.width)
        box = ((0.0, top), (right, top), (right, bottom), (0.0, bottom))
        lines.append(FullLine(text=text, box=box, score=0, box_1000=thousandths(box, page.width, page.height)))
    return page.model_copy(update={"lines": tuple(lines)})
