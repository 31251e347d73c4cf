"""The formats by name, each with its media type and its file name's ending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from runtime.outputs.labels import PLAIN, Labels
from runtime.outputs.pages import FullPage
from runtime.outputs.spreadsheet import ImageOf


class Format(StrEnum):
    """The names are part of the interface."""

    JSON = "json"
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    DOCX = "docx"
    XLSX = "xlsx"
    CSV = "csv"
    HOCR = "hocr"
    ALTO = "alto"
    PDF = "pdf"
    PDFA = "pdfa"


@dataclass(frozen=True)
class Written:
    """A file's content, media type and the ending of its name."""

    content: bytes
    media_type: str
    ending: str


_OFFICE = "application/vnd.openxmlformats-officedocument"


def write(form: Format, pages: Sequence[FullPage], image_of: ImageOf, version: str, labels: Labels = PLAIN) -> Written:
    """`pages` in a format other than JSON. `image_of` is asked for pictures by DOCX's neighbours XLSX and PDF."""
    if form is Format.TEXT:
        from runtime.outputs.plain import text

        return Written(text(pages, labels).encode(), "text/plain; charset=utf-8", "txt")
    if form is Format.MARKDOWN:
        from runtime.outputs.plain import markdown

        return Written(markdown(pages, labels).encode(), "text/markdown; charset=utf-8", "md")
    if form is Format.HTML:
        from runtime.outputs.plain import html_document

        return Written(html_document(pages).encode(), "text/html; charset=utf-8", "html")
    if form is Format.CSV:
        from runtime.outputs.plain import comma_separated

        return Written(comma_separated(pages, labels).encode(), "text/csv; charset=utf-8", "csv")
    if form is Format.DOCX:
        from runtime.outputs.word import document

        return Written(document(pages, labels), f"{_OFFICE}.wordprocessingml.document", "docx")
    if form is Format.XLSX:
        from runtime.outputs.spreadsheet import workbook

        return Written(workbook(pages, image_of, labels), f"{_OFFICE}.spreadsheetml.sheet", "xlsx")
    if form is Format.HOCR:
        from runtime.outputs.layouts import hocr

        return Written(hocr(pages, version).encode(), "text/vnd.hocr+html; charset=utf-8", "hocr")
    if form is Format.ALTO:
        from runtime.outputs.layouts import alto

        return Written(alto(pages, version).encode(), "application/alto+xml", "xml")
    if form in (Format.PDF, Format.PDFA):
        from runtime.outputs.archival_pdf import archival_pdf
        from runtime.outputs.contents import spread
        from runtime.outputs.searchable_pdf import Sheet, searchable_pdf

        sheets = [Sheet(spread(page), partial(image_of, index)) for index, page in enumerate(pages)]
        made = searchable_pdf(sheets) if form is Format.PDF else archival_pdf(sheets, version)
        return Written(made, "application/pdf", "pdf")
    raise ValueError(f"{form} is not written here")
