"""Words of a page found and replaced: in its lines, fields, cells, and in text that has none of these."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass

from runtime.kiosk.corrections import holds
from runtime.kiosk.pages import Page
from runtime.problems import Problem
from runtime.tasks.tables import table_cells, table_regions

_AROUND = 40
"""Characters of a long text that are shown before and after what was found."""


@dataclass(frozen=True)
class Words:
    """What is sought, as it stands; `with_case`: capitals and small letters are told apart."""

    find: str
    replace: str = ""
    with_case: bool = False

    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.escape(self.find), 0 if self.with_case else re.IGNORECASE)

    def put(self, text: str) -> str:
        return self.pattern().sub(lambda _: self.replace, text)


@dataclass(frozen=True)
class Match:
    """One place that holds the words. `spans`: where in `text`, which is the place's text or a part of it."""

    target: str
    text: str
    spans: tuple[tuple[int, int], ...]


def matches(page: Page, words: Words) -> list[Match]:
    """In the order of the page. A field that a line holds is found in that line alone."""
    pattern = words.pattern()
    found = []
    for target, text in _places(page):
        spans = tuple((each.start(), each.end()) for each in pattern.finditer(text))
        if target == "text":
            spans = tuple(span for span in spans if not _in_table(text, span))
        if spans:
            found.append(_shortened(Match(target, text, spans)))
    return found


def replace(page: Page, words: Words, skipped: Set[str]) -> None:
    """Edit the page in every place but those skipped. A place where the new words do not fit is left as it is."""
    pattern = words.pattern()
    held_back = False
    for target, text in list(_places(page)):
        if pattern.search(text):
            held_back = held_back or target in skipped
            if target not in skipped:
                _put(page, target, words)
    if not held_back:  # a field whose line was rewritten around it
        for target, text in list(_fields(page)):
            if pattern.search(text):
                _put(page, target, words)


def _put(page: Page, target: str, words: Words) -> None:
    text = page.value(target)
    try:
        page.edit(target, words.put(text) if target != "text" else _outside_tables(text, words))
    except Problem:
        return


def _places(page: Page) -> Iterator[tuple[str, str]]:
    now = page.edited()
    result = now.page
    yield from ((f"line:{number}", line.text) for number, line in enumerate(result.lines))
    for field in () if now.fields is None else now.fields.fields:
        if not any(holds(line, field.box) and field.value in line.text for line in result.lines):
            yield f"field:{field.key}", field.value
    written = table_cells(result.text)
    for number, table in enumerate(result.tables):
        if len(written) == len(result.tables):
            yield from ((f"cell:{number}:{cell.row}:{cell.column}", cell.text) for cell in written[number])
        else:
            for row, cells in enumerate(table):
                yield from ((f"cell:{number}:{row}:{column}", text) for column, text in enumerate(cells))
    if not result.lines and result.fields is None:
        yield "text", result.text


def _fields(page: Page) -> Iterator[tuple[str, str]]:
    fields = page.edited().fields
    yield from ((f"field:{field.key}", field.value) for field in (() if fields is None else fields.fields))


def _in_table(text: str, span: tuple[int, int]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in table_regions(text))


def _outside_tables(text: str, words: Words) -> str:
    """Tables are left alone: their cells are places of their own, and their tags no text."""
    pieces, at = [], 0
    for start, end in table_regions(text):
        pieces += [words.put(text[at:start]), text[start:end]]
        at = end
    return "".join([*pieces, words.put(text[at:])])


def _shortened(match: Match) -> Match:
    """Of a text of many lines, what stands around the first find."""
    if len(match.text) <= 4 * _AROUND:
        return match
    first = match.spans[0]
    start = max(0, first[0] - _AROUND)
    end = min(len(match.text), first[1] + 3 * _AROUND)
    spans = tuple((a - start, b - start) for a, b in match.spans if b <= end)
    return Match(match.target, match.text[start:end], spans)
