"""A page as the review shows it: what was read beside what stands there now, and what is doubtful."""

from __future__ import annotations

from typing import Any

from runtime.fields.reading import Field, Fields
from runtime.gateway.recognition import Recognised
from runtime.kiosk.doubts import agreements, doubts, is_doubtful
from runtime.kiosk.pages import Page
from runtime.kiosk.rendered import document_html, formula_html
from runtime.results import PageResult
from runtime.tasks.tables import Table, table_cells
from runtime.tasks.task import Task

_WITH_MARKUP = frozenset({Task.DOCUMENT, Task.TABLE, Task.CHART})


def page_view(page: Page) -> dict[str, Any]:
    """Everything of one page. `stamp` changes whenever anything of it does."""
    return {
        "id": page.id,
        "name": page.name,
        "place": page.place,
        "sheets": page.sheets,
        "origin": page.origin,
        "status": page.status,
        "stamp": stamp(page),
        "has_picture": page.shown is not None,
        "code": None if page.problem is None else page.problem.kind.code,
        "detail": "" if page.problem is None else page.problem.detail,
        "task": page.want.task,
        "doubts": [{"target": doubt.target, "reason": doubt.reason} for doubt in doubts(page)],
        **_content(page),
    }


def stamp(page: Page) -> str:
    """What the browser compares to know whether it has to fetch the page anew."""
    return f"{page.status}-{page.shown is not None:d}-{id(page.recognised):x}-{page.edits.revision}"


def _content(page: Page) -> dict[str, Any]:
    if page.recognised is None:
        return {"width": 0, "height": 0, "rotation": 0, "engine": "", "elapsed_s": 0, "warnings": [], **_EMPTY}
    read, now = page.recognised.page, page.edited()
    result, confirmed = now.page, page.edits.confirmed
    return {
        "width": result.width,
        "height": result.height,
        "rotation": result.rotation,
        "engine": result.engine.name,
        "elapsed_s": result.elapsed_s,
        "task": result.task,
        "warnings": result.warnings,
        "unread": [{"box": line.box, "script": line.script, "script_zh": line.script_zh} for line in result.unread],
        "text": result.text,
        "text_read": read.text,
        "html": _html(result),
        "tables": [
            _grid(table, read.tables[number] if number < len(read.tables) else None, written)
            for number, (table, written) in enumerate(_with_cells(result))
        ],
        "fields": None if now.fields is None else _fields(page, page.recognised, now.fields),
        "lines": [
            {
                "text": line.text,
                "read_as": before.text,
                "box": line.box,
                "doubtful": is_doubtful(before, line) and f"line:{number}" not in confirmed,
                "confirmed": f"line:{number}" in confirmed,
                "score": line.score,
                "column": line.column,
            }
            for number, (line, before) in enumerate(zip(result.lines, read.lines, strict=True))
        ],
    }


_EMPTY: dict[str, Any] = {
    "unread": [],
    "text": "",
    "text_read": "",
    "html": "",
    "tables": [],
    "fields": None,
    "lines": [],
}


def _html(result: PageResult) -> str:
    if result.lines:
        return ""
    if result.task is Task.FORMULA:
        return formula_html(result.text)
    return document_html(result.text) if result.task in _WITH_MARKUP else ""


_Spans = list[tuple[int, int, int, int]]


def _with_cells(result: PageResult) -> list[tuple[Table, _Spans | None]]:
    """Every table with its cells' places and spans; None where the text does not hold it."""
    written = table_cells(result.text)
    if len(written) != len(result.tables):
        return [(table, None) for table in result.tables]
    spans = [[(cell.row, cell.column, cell.rows, cell.columns) for cell in cells] for cells in written]
    return list(zip(result.tables, spans, strict=True))


def _grid(table: Table, read: Table | None, spans: _Spans | None) -> dict[str, Any]:
    """Cells with their spans, each once; `read_as` where the table has the shape that it was read in."""
    rows, columns = len(table), len(table[0]) if table else 0
    alike = read is not None and len(read) == rows and all(len(row) == columns for row in read)
    places = spans or [(row, column, 1, 1) for row in range(rows) for column in range(columns)]
    cells = []
    taken: set[tuple[int, int]] = set()
    for row, column, down, right in places:
        if (row, column) in taken:
            continue  # a span of a cell before has it
        reach = {(r, c) for r in range(row, row + down) for c in range(column, column + right)} - taken
        taken |= reach
        text = table[row][column]
        cells.append(
            {
                "row": row,
                "column": column,
                "rows": down,
                "columns": right,
                "text": text,
                "read_as": read[row][column] if alike and read is not None else text,
            }
        )
    return {"rows": rows, "columns": columns, "cells": cells}


def _fields(page: Page, read: Recognised, now: Fields) -> dict[str, Any]:
    """Fields in the order in which they are to be looked at; those not found are in it, with an empty value."""
    before = {} if read.fields is None else read.fields.flat()
    reasons = {doubt.target: doubt.reason for doubt in doubts(page)}
    rows = [_field(field, before.get(field.key, ""), reasons.get(f"field:{field.key}")) for field in now.fields]
    rows += [
        _field(
            Field(key=key, value="", box=_box_read(read, key), box_1000=None, score=0),
            before.get(key, ""),
            "missing",
        )
        for key in now.missing
    ]
    for row in rows:
        row["confirmed"] = f"field:{row['key']}" in page.edits.confirmed
    order = {target: place for place, target in enumerate(reasons)}
    rows.sort(key=lambda row: order.get(f"field:{row['key']}", len(order)))
    titles = (read.form.title, read.form.title_zh) if read.form is not None else ("", "")
    verdicts = {verdict.check: verdict for verdict in now.agreements}
    return {
        "form": now.form,
        "title": titles[0],
        "title_zh": titles[1],
        "fields": rows,
        "agreements": [{**verdicts[row.kind].model_dump(), "fields": row.fields} for row, _ in agreements(page, now)],
    }


def _box_read(read: Recognised, key: str) -> Any:
    fields = () if read.fields is None else read.fields.fields
    return next((field.box for field in fields if field.key == key), None)


def _field(field: Field, read_as: str, reason: str | None) -> dict[str, Any]:
    return {
        "key": field.key,
        "value": field.value,
        "read_as": read_as,
        "box": field.box,
        "score": field.score,
        "checks": [verdict.model_dump() for verdict in field.checks],
        "reason": reason,
    }
