"""XLSX: a sheet of fields, a sheet of lines, a sheet for each table; pictures beside what is doubtful."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from runtime.outputs.contents import text_lines
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
ImageOf = Callable[[int], Image.Image | None]
"""The upright picture of page number n, from 0; None if it is not kept any more."""


def workbook(pages: Sequence[FullPage], image_of: ImageOf = lambda _: None) -> bytes:
    """Values are text, never formulas or links, so that 000123 stays what it is."""
    import xlsxwriter

    held = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(held, options) as book:
        bold, doubt = book.add_format({"bold": True}), book.add_format({"bg_color": "#FFE699"})
        if any(page.form is not None for page in pages):
            _fields(book.add_worksheet("Fields"), pages, image_of, bold, doubt)
        _lines(book.add_worksheet("Lines"), pages, image_of, bold, doubt)
        tables = [(number, table) for number, page in enumerate(pages, 1) for table in page.tables]
        for index, (number, table) in enumerate(tables, 1):
            sheet = book.add_worksheet(f"Table {index}, page {number}"[:31])
            for row, cells in enumerate(table):
                for column, cell in enumerate(cells):
                    sheet.write_string(row, column, cell[:_LONGEST_CELL])
    return held.getvalue()


def _fields(sheet: Any, pages: Sequence[FullPage], image_of: ImageOf, bold: Any, doubt: Any) -> None:
    for column, title in enumerate(("page", "form", "field", "value", "score", "check", "why", "picture")):
        sheet.write_string(0, column, title, bold)
    sheet.set_column(2, 3, 30)
    sheet.set_column(6, 7, 40)
    row = 0
    for index, page in enumerate(pages):
        picture: Image.Image | None = None
        for field in page.form.fields if page.form else ():
            row += 1
            doubtful = field.score < DOUBTFUL or state(field) == "fail"
            style = doubt if doubtful else None
            sheet.write_number(row, 0, index + 1)
            sheet.write_string(row, 1, page.form.form if page.form else "")
            sheet.write_string(row, 2, field.key)
            sheet.write_string(row, 3, field.value[:_LONGEST_CELL], style)
            sheet.write_number(row, 4, field.score)
            sheet.write_string(row, 5, state(field), style)
            sheet.write_string(row, 6, " ".join(v.why for v in field.checks if v.state != "pass"))
            if doubtful and field.box is not None:
                picture = picture or image_of(index)
                if picture is not None:
                    _show(sheet, row, 7, _cut(picture, field.box))


def _lines(sheet: Any, pages: Sequence[FullPage], image_of: ImageOf, bold: Any, doubt: Any) -> None:
    for column, title in enumerate(("page", "text", "score", "picture")):
        sheet.write_string(0, column, title, bold)
    sheet.set_column(1, 1, 80)
    sheet.set_column(3, 3, 40)
    row = shown = 0
    for index, page in enumerate(pages):
        picture: Image.Image | None = None
        for line in page.lines:
            row += 1
            doubtful = line.score < DOUBTFUL
            sheet.write_number(row, 0, index + 1)
            sheet.write_string(row, 1, line.text[:_LONGEST_CELL], doubt if doubtful else None)
            sheet.write_number(row, 2, round(line.score, 3))
            if doubtful and shown < _MOST_LINES_SHOWN:
                picture = picture or image_of(index)
                if picture is not None:
                    shown += 1
                    _show(sheet, row, 3, _cut(picture, line.box))
        for text in [] if page.lines else text_lines(page):
            row += 1
            sheet.write_number(row, 0, index + 1)
            sheet.write_string(row, 1, text[:_LONGEST_CELL])


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
