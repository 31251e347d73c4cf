"""XLSX: forms of one kind one a row, a sheet of fields, a sheet of lines, a sheet for each table; pictures beside
what is doubtful."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from itertools import chain, count
from typing import Any

from PIL import Image

from runtime.fields.reading import Field
from runtime.outputs.contents import text_lines
from runtime.outputs.labels import PLAIN, Labels
from runtime.outputs.pages import FullPage
from runtime.outputs.plain import state
from runtime.results import Quad

DOUBTFUL = 0.9
"""A field or line read with less confidence than this, or a field that fails a check, has its picture beside it."""
_MOST_LINES_SHOWN = 500
"""Pictures beside lines: a long book badly read must not fill the memory."""
_ROW_POINTS = 36.0
_PICTURE_PIXELS = 44
_LONGEST_CELL = 32_000
"""Excel's limit is 32,767 signs."""
_LONGEST_NAME = 31
_NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\]|^'+|'+$")
"""Of a sheet, by Excel's rules."""
ImageOf = Callable[[int], Image.Image | None]
"""The upright picture of page number n, from 0; None if it is not kept any more."""


def workbook(pages: Sequence[FullPage], image_of: ImageOf = lambda _: None, labels: Labels = PLAIN) -> bytes:
    """Values are text, never formulas or links, so that 000123 stays what it is."""
    import xlsxwriter

    held = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(held, options) as book:
        bold, doubt = book.add_format({"bold": True}), book.add_format({"bg_color": "#FFE699"})
        for form, indices in _several(pages).items():
            _one_a_row(_sheet(book, labels.form_title(form)), pages, indices, labels, bold, doubt)
        if any(page.form is not None for page in pages):
            _fields(_sheet(book, labels.words["fields"]), pages, image_of, labels, bold, doubt)
        _lines(_sheet(book, labels.words["lines"]), pages, image_of, labels, bold, doubt)
        tables = [(number, table) for number, page in enumerate(pages, 1) for table in page.tables]
        for index, (number, table) in enumerate(tables, 1):
            sheet = _sheet(book, labels.words["table"].format(index=index, page=number))
            for row, cells in enumerate(table):
                for column, cell in enumerate(cells):
                    sheet.write_string(row, column, cell[:_LONGEST_CELL])
    return held.getvalue()


def _sheet(book: Any, name: str) -> Any:
    """A new one of this name, or of one that Excel takes and that no other has."""
    fitting = _NOT_IN_A_NAME.sub("", name)[:_LONGEST_NAME] or "-"
    taken = {sheet.get_name().casefold() for sheet in book.worksheets()}
    names = chain([fitting], (f"{fitting[: _LONGEST_NAME - 5]} {number}" for number in count(2)))
    return book.add_worksheet(next(each for each in names if each.casefold() not in taken))


def _several(pages: Sequence[FullPage]) -> dict[str, list[int]]:
    """The forms that more than one page is, and which pages those are."""
    found: dict[str, list[int]] = {}
    for index, page in enumerate(pages):
        if page.form is not None and page.form.fields:
            found.setdefault(page.form.form, []).append(index)
    return {form: indices for form, indices in found.items() if len(indices) > 1}


def _one_a_row(
    sheet: Any, pages: Sequence[FullPage], indices: Sequence[int], labels: Labels, bold: Any, doubt: Any
) -> None:
    """A column for each field: what is carried on in a ledger."""
    of = [(index, {field.key: field for field in form.fields}) for index in indices if (form := pages[index].form)]
    keys = list(dict.fromkeys(key for _, fields in of for key in fields))
    at = _headings(sheet, labels, keys, bold)
    sheet.set_column(at, at + len(keys) - 1, 22)
    sheet.freeze_panes(1, at)
    for row, (index, fields) in enumerate(of, 1):
        _place(sheet, row, labels, index)
        for column, key in enumerate(keys, at):
            if (field := fields.get(key)) is not None:
                style = doubt if _is_doubtful(field) else None
                sheet.write_string(row, column, field.value[:_LONGEST_CELL], style)


def _place(sheet: Any, row: int, labels: Labels, index: int) -> None:
    """Which page the row is from."""
    for column, each in enumerate(labels.place(index)):
        if isinstance(each, int):
            sheet.write_number(row, column, each)
        else:
            sheet.write_string(row, column, each[:_LONGEST_CELL])


def _is_doubtful(field: Field) -> bool:
    return field.score < DOUBTFUL or state(field) == "fail"


def _headings(sheet: Any, labels: Labels, titles: Sequence[str], bold: Any) -> int:
    """Gives the column after those that tell the page."""
    for column, title in enumerate((*labels.place_headings, *titles)):
        sheet.write_string(0, column, title, bold)
    if labels.origins:
        sheet.set_column(0, 0, 24)
    return len(labels.place_headings)


def _fields(sheet: Any, pages: Sequence[FullPage], image_of: ImageOf, labels: Labels, bold: Any, doubt: Any) -> None:
    titles = [labels.words[each] for each in ("form", "field", "value", "score", "check", "why", "picture")]
    at = _headings(sheet, labels, titles, bold)
    sheet.set_column(at + 1, at + 2, 30)
    sheet.set_column(at + 5, at + 6, 40)
    row = 0
    for index, page in enumerate(pages):
        picture: Image.Image | None = None
        for field in page.form.fields if page.form else ():
            row += 1
            doubtful = _is_doubtful(field)
            style = doubt if doubtful else None
            _place(sheet, row, labels, index)
            sheet.write_string(row, at, labels.form_title(page.form.form) if page.form else "")
            sheet.write_string(row, at + 1, field.key)
            sheet.write_string(row, at + 2, field.value[:_LONGEST_CELL], style)
            sheet.write_number(row, at + 3, field.score)
            sheet.write_string(row, at + 4, labels.state(state(field)), style)
            why = " ".join(labels.sentence(verdict.why) for verdict in field.checks if verdict.state != "pass")
            sheet.write_string(row, at + 5, why)
            if doubtful and field.box is not None:
                picture = picture or image_of(index)
                if picture is not None:
                    _show(sheet, row, at + 6, _cut(picture, field.box))


def _lines(sheet: Any, pages: Sequence[FullPage], image_of: ImageOf, labels: Labels, bold: Any, doubt: Any) -> None:
    at = _headings(sheet, labels, [labels.words[each] for each in ("text", "score", "picture")], bold)
    sheet.set_column(at, at, 80)
    sheet.set_column(at + 2, at + 2, 40)
    row = shown = 0
    for index, page in enumerate(pages):
        picture: Image.Image | None = None
        for line in page.lines:
            row += 1
            doubtful = line.score < DOUBTFUL
            _place(sheet, row, labels, index)
            sheet.write_string(row, at, line.text[:_LONGEST_CELL], doubt if doubtful else None)
            sheet.write_number(row, at + 1, round(line.score, 3))
            if doubtful and shown < _MOST_LINES_SHOWN:
                picture = picture or image_of(index)
                if picture is not None:
                    shown += 1
                    _show(sheet, row, at + 2, _cut(picture, line.box))
        for text in [] if page.lines else text_lines(page):
            row += 1
            _place(sheet, row, labels, index)
            sheet.write_string(row, at, text[:_LONGEST_CELL])


def _show(sheet: Any, row: int, column: int, picture: io.BytesIO) -> None:
    sheet.set_row(row, _ROW_POINTS)
    sheet.insert_image(row, column, "part.png", {"image_data": picture, "object_position": 1})


def _cut(picture: Image.Image, box: Quad) -> io.BytesIO:
    xs, ys = [x for x, _ in box], [y for _, y in box]
    margin = (max(ys) - min(ys)) / 4
    part = picture.crop(
        (
            max(0, round(min(xs) - margin)),
            max(0, round(min(ys) - margin)),
            min(picture.width, max(round(max(xs) + margin), round(min(xs)) + 1)),
            min(picture.height, max(round(max(ys) + margin), round(min(ys)) + 1)),
        )
    )
    part.thumbnail((600, _PICTURE_PIXELS))
    held = io.BytesIO()
    part.save(held, "PNG")
    held.seek(0)
    return held
