"""PDF by PDFium: pages rendered, or their own text where they were born digital."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image

from runtime.config import Limits
from runtime.documents.images import pixels_of
from runtime.documents.parts import OwnText, PrintedLine, Region
from runtime.documents.refusals import DAMAGED_DOCUMENT, LOCKED_DOCUMENT, NO_SUCH_PAGE
from runtime.problems import TOO_MANY_PIXELS, Problem
from runtime.results import Quad

_POINTS_PER_INCH = 72
_LEAST_DPI = 40
"""A page so large that it must be rendered more coarsely than this would show no text."""
_FEWEST_SIGNS = 12
_MOST_STRANGE = 0.02
"""Good text has at most this part of signs without meaning: fonts without a Unicode map give them."""
_SCAN_COVERS = 0.7
"""A picture over this part of a page is a scan; text above it is some other program's recognition."""


def sizes(data: bytes, limits: Limits, password: str = "") -> list[int]:
    """The pixels of each page as it will be rendered. Raises Problem: DAMAGED_DOCUMENT or LOCKED_DOCUMENT."""
    with _opened(data, password) as document:
        if len(document) > limits.document_pages:
            return [0] * len(document)
        return [_pixels(document, page, limits) for page in range(len(document))]


def _pixels(document: pdfium.PdfDocument, page: int, limits: Limits) -> int:
    """A damaged page counts as a large one; it is refused when its turn comes."""
    try:
        width, height = document.get_page_size(page)
    except pdfium.PdfiumError:
        return limits.page_pixels
    return int(min(limits.page_pixels, max(1.0, width * height * (limits.pdf_dpi / _POINTS_PER_INCH) ** 2)))


def render(
    data: bytes, page: int, limits: Limits, region: Region | None, take_text: bool, password: str = ""
) -> Image.Image | OwnText:
    """Page number `page`, from 0, at the limits' dots per inch or what their pixels allow, as RGB.

    Raises Problem: as `sizes`, NO_SUCH_PAGE, TOO_MANY_PIXELS.
    """
    with _opened(data, password) as document:
        _check_has(document, page)
        try:
            opened = document[page]
            scale = _scale(opened, limits)
            width, height = (max(1, math.ceil(side * scale)) for side in opened.get_size())
            if take_text and region is None:
                lines = _own_text(opened, scale)
                if lines is not None:
                    return OwnText(width=width, height=height, lines=lines)
            image: Image.Image = opened.render(scale=scale, rev_byteorder=True).to_pil().convert("RGB")
        except pdfium.PdfiumError as error:
            raise Problem(DAMAGED_DOCUMENT, "Print or scan the page again.") from error
    if region is not None:
        image = image.crop(pixels_of(region, image.width, image.height))
    return image


def picture(data: bytes, page: int, side: int, password: str = "") -> Image.Image:
    """Page number `page`, from 0, at most `side` pixels wide and high. Raises Problem as `render` does."""
    with _opened(data, password) as document:
        _check_has(document, page)
        try:
            opened = document[page]
            longest = max(opened.get_size())
            if not 0 < longest < math.inf:
                raise Problem(DAMAGED_DOCUMENT, "A page has no size.")
            drawn: Image.Image = opened.render(scale=side / longest, rev_byteorder=True).to_pil().convert("RGB")
        except pdfium.PdfiumError as error:
            raise Problem(DAMAGED_DOCUMENT, "Print or scan the page again.") from error
    return drawn


def _check_has(document: pdfium.PdfDocument, page: int) -> None:
    if page >= len(document):
        raise Problem(NO_SUCH_PAGE, f"It has {len(document)} pages.")


@contextmanager
def _opened(data: bytes, password: str) -> Iterator[pdfium.PdfDocument]:
    try:
        document = pdfium.PdfDocument(data, password=password or None)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
            raise Problem(
                LOCKED_DOCUMENT, "The password is not this one." if password else "Save it without a password."
            ) from None
        raise Problem(DAMAGED_DOCUMENT, "Print or scan it again.") from error
    try:
        if len(document) < 1:
            raise Problem(DAMAGED_DOCUMENT, "It has no pages.")
        yield document
    finally:
        document.close()


def _scale(page: pdfium.PdfPage, limits: Limits) -> float:
    width, height = page.get_size()
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise Problem(DAMAGED_DOCUMENT, "A page has no size.")
    wanted = limits.pdf_dpi / _POINTS_PER_INCH
    allowed = math.sqrt(limits.page_pixels / (width * height)) * 0.999
    if allowed < _LEAST_DPI / _POINTS_PER_INCH:
        raise Problem(TOO_MANY_PIXELS, f"The page is too large for {limits.page_pixels} pixels.")
    return min(wanted, allowed)


def _own_text(page: pdfium.PdfPage, scale: float) -> tuple[PrintedLine, ...] | None:
    """The page's text by lines; None if there is little, if it is garbled, or if it lies over a scan."""
    if page.get_rotation() or _is_scan(page):
        return None
    text = page.get_textpage()
    whole = text.get_text_range()
    signs = [sign for sign in whole if not sign.isspace()]
    if len(signs) < _FEWEST_SIGNS or sum(map(_is_strange, signs)) > _MOST_STRANGE * len(signs):
        return None
    origin, _, _, ceiling = page.get_bbox()  # left, bottom, right, top
    lines = []
    for index in range(text.count_rects()):
        left, bottom, right, top = text.get_rect(index)
        printed = " ".join(text.get_text_bounded(left, bottom, right, top).split())
        if printed:
            x1, x2 = (left - origin) * scale, (right - origin) * scale
            y1, y2 = (ceiling - top) * scale, (ceiling - bottom) * scale
            box: Quad = ((x1, y1), (x2, y1), (x2, y2), (x1, y2))
            lines.append(PrintedLine(text=printed, box=box))
    return tuple(lines) or None


def _is_scan(page: pdfium.PdfPage) -> bool:
    area = page.get_width() * page.get_height()
    for found in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = found.get_bounds()
        if (right - left) * (top - bottom) > _SCAN_COVERS * area:
            return True
    return False


def _is_strange(sign: str) -> bool:
    return sign == "\ufffd" or unicodedata.category(sign) in ("Cc", "Co", "Cn", "Cs")
