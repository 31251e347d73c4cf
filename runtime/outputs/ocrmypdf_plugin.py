"""The plugin through which OCRmyPDF gets its text from us: from pages read before, never by reading again.

Loaded by name in the process of `runtime.outputs.archival_pdf`, which puts the pages here first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from ocrmypdf import OcrElement, OcrEngine, OrientationConfidence, hookimpl
from ocrmypdf.builtin_plugins.tesseract_ocr import TesseractOptions
from ocrmypdf.models.ocr_element import BoundingBox

from runtime.layout.direction import runs_left
from runtime.outputs.layouts import limits, line_words
from runtime.outputs.pages import FullLine, FullPage
from runtime.outputs.searchable_pdf import points_per_pixel
from runtime.outputs.word import without_forbidden

pages: list[FullPage] = []
version = "0"
_HANGUL = re.compile("[\uac00-\ud7a3]")
_OTHER_ENGINES = "ocrmypdf.builtin_plugins.tesseract_ocr"


class ReadAlready(OcrEngine):
    """OCRmyPDF's engine contract over `pages`."""

    @staticmethod
    def version() -> str:
        return version

    @staticmethod
    def creator_tag(options: Any) -> str:
        return f"Inkstick {version}"

    def __str__(self) -> str:
        return f"Inkstick {version}"

    @staticmethod
    def languages(options: Any) -> set[str]:
        return set(options.languages)

    @staticmethod
    def get_orientation(input_file: Path, options: Any) -> OrientationConfidence:
        return OrientationConfidence(angle=0, confidence=0.0)

    @staticmethod
    def supports_generate_ocr() -> bool:
        return True

    @staticmethod
    def generate_ocr(input_file: Path, options: Any, page_number: int = 0) -> tuple[OcrElement, str]:
        page = pages[page_number]
        return page_element(page, page_number), page.text

    @staticmethod
    def generate_hocr(input_file: Path, output_hocr: Path, output_text: Path, options: Any) -> None:
        raise NotImplementedError("elements are given instead")

    @staticmethod
    def generate_pdf(input_file: Path, output_pdf: Path, output_text: Path, options: Any) -> None:
        raise NotImplementedError("elements are given instead")


@hookimpl
def initialize(plugin_manager: Any) -> None:
    """Its own engine, and the check whether that is installed, are not wanted."""
    plugin_manager.set_blocked(_OTHER_ENGINES)


@hookimpl
def register_options() -> dict[str, Any]:
    """OCRmyPDF's own checks look at these, whichever engine there is."""
    return {"tesseract": TesseractOptions}


@hookimpl
def get_ocr_engine(options: Any) -> OcrEngine:
    return ReadAlready()


def page_element(page: FullPage, number: int) -> OcrElement:
    """A page as OCRmyPDF's tree: lines of words, in pixels."""
    lines = [_line_element(line) for line in page.lines if line.text.strip()]
    whole = BoundingBox(0, 0, page.width, page.height)
    paragraphs = [OcrElement("ocr_par", bbox=line.bbox, direction=line.direction, children=[line]) for line in lines]
    return OcrElement("ocr_page", bbox=whole, dpi=72 / points_per_pixel(page), page_number=number, children=paragraphs)


def _line_element(line: FullLine) -> OcrElement:
    direction: Literal["ltr", "rtl"] = "rtl" if runs_left(line.text) else "ltr"
    # OCRmyPDF sets no spaces between words of East Asian signs, but Korean has them.
    parts = [(line.text, line.box)] if _HANGUL.search(line.text) else line_words(line)
    children = [
        OcrElement("ocrx_word", bbox=_box([box]), text=without_forbidden(word), confidence=line.score)
        for word, box in parts
    ]
    return OcrElement("ocr_line", bbox=_box([line.box]), direction=direction, children=children)


def _box(boxes: Sequence[Any]) -> BoundingBox:
    left, top, right, bottom = limits(boxes)
    return BoundingBox(left, top, max(right, left + 1), max(bottom, top + 1))
