"""Where a person should look again: failed checks first, then what the engine was unsure of, then what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from runtime.fields.forms import Agreement
from runtime.fields.reading import Field, Fields
from runtime.kiosk.corrections import form_of, holds
from runtime.kiosk.pages import DOUBTFUL_SCORE, Page
from runtime.results import Line, PageResult

Reason = Literal["check", "agreement", "score", "missing", "warning"]
_ORDER: tuple[Reason, ...] = ("check", "agreement", "score", "missing", "warning")


@dataclass(frozen=True)
class Doubt:
    """`target` as edits name it. "agreement": fields contradict each other, one of them at least is wrong."""

    target: str
    reason: Reason


def doubts(page: Page) -> tuple[Doubt, ...]:
    """The page's doubtful places, the worst first; of a field or line that a person changed only failed checks,
    and none that a person found right."""
    if page.recognised is None:
        return ()
    now = page.edited()
    edited = {edit.target for edit in page.edits.log}
    found = list(_of_fields(page, now.fields, edited))
    found += _of_lines(page.recognised.page, now.page, now.fields)
    if not now.page.lines and "text" not in edited:
        found += [Doubt("text", "warning")] * bool(set(now.page.warnings) - {"repaired"})
    found = [doubt for doubt in found if doubt.target not in page.edits.confirmed]
    return tuple(sorted(found, key=lambda doubt: _ORDER.index(doubt.reason)))


def _of_fields(page: Page, fields: Fields | None, edited: set[str]) -> Iterator[Doubt]:
    if fields is None or page.recognised is None:
        return
    contradicted = {key for row, verdict in agreements(page, fields) if verdict == "fail" for key in row.fields}
    has_places = bool(page.recognised.page.lines)
    for field in fields.fields:
        target = f"field:{field.key}"
        if failed(field):
            yield Doubt(target, "check")
        elif field.key in contradicted:
            yield Doubt(target, "agreement")
        elif has_places and field.score < DOUBTFUL_SCORE and target not in edited:
            yield Doubt(target, "score")
    yield from (Doubt(f"field:{key}", "missing") for key in fields.missing if f"field:{key}" not in edited)


def _of_lines(read: PageResult, now: PageResult, fields: Fields | None) -> Iterator[Doubt]:
    """But for lines that hold a field: there the field is looked at."""
    boxes = [] if fields is None else [field.box for field in fields.fields]
    for number, (before, line) in enumerate(zip(read.lines, now.lines, strict=True)):
        if is_doubtful(before, line) and not any(holds(line, box) for box in boxes):
            yield Doubt(f"line:{number}", "score")


def is_doubtful(read: Line, now: Line) -> bool:
    return read.score < DOUBTFUL_SCORE and now.text == read.text


def failed(field: Field) -> bool:
    return any(verdict.state == "fail" for verdict in field.checks)


def agreements(page: Page, fields: Fields) -> list[tuple[Agreement, str]]:
    """The form's agreements, each with what it says of the fields as they are now."""
    assert page.recognised is not None
    states = {verdict.check: verdict.state for verdict in fields.agreements}
    rows = form_of(page.recognised, fields).agreements
    return [(row, states[row.kind]) for row in rows if row.kind in states]
