"""Opening documents of every kind. Runs inside the cage: what it is given comes from strangers.

Images go to `images`, PDF to `pdf`, ZIP to `archives`, told apart by their first bytes and never by
their names.
"""

from __future__ import annotations

from PIL import Image

from runtime.config import Limits
from runtime.documents import archives, images
from runtime.documents.parts import Description, OwnText, PagePlace, Region
from runtime.documents.refusals import NO_SUCH_PAGE, TOO_MANY_PAGES
from runtime.documents.signatures import Kind, kind_of
from runtime.problems import EMPTY_FILE, FILE_TOO_LARGE, NOT_AN_IMAGE, Problem


def describe(data: bytes, limits: Limits, password: str = "") -> Description:
    """Raises Problem: any of `runtime.documents.refusals.KINDS`."""
    kind = _kind(data, limits)
    if kind is Kind.ZIP:
        return _described_archive(data, limits)
    name, sizes = _sizes(data, kind, limits, password)
    _check_count(len(sizes), limits)
    pages = tuple(PagePlace(number=number, pixels=pixels) for number, pixels in enumerate(sizes, 1))
    return Description(format=name, pages=pages)


def render(
    data: bytes, page: int, limits: Limits, region: Region | None, take_text: bool, password: str = ""
) -> Image.Image | OwnText:
    """Page number `page`, from 0, as `describe` counts them: RGB, or its own text where it may be taken.

    Raises Problem as `describe` does, or NO_SUCH_PAGE.
    """
    data, page = within(data, page, limits)
    if _kind(data, limits) is Kind.PDF:
        from runtime.documents import pdf

        return pdf.render(data, page, limits, region, take_text, password)
    return images.render(data, page, limits, region)


def within(data: bytes, page: int, limits: Limits) -> tuple[bytes, int]:
    """The file that holds page number `page`, from 0, itself or within a ZIP; and the page's number there."""
    if _kind(data, limits) is Kind.ZIP:
        places = describe(data, limits).pages
        if not 0 <= page < len(places):
            raise Problem(NO_SUCH_PAGE, f"It has {len(places)} pages.")
        data = archives.member(data, places[page].source, limits)
        page = places[page].number - 1
    if page < 0:
        raise Problem(NO_SUCH_PAGE, "Pages are counted from 1.")
    return data, page


def _kind(data: bytes, limits: Limits) -> Kind:
    if not data:
        raise Problem(EMPTY_FILE, "The file holds no bytes. Copy or scan it again.")
    if len(data) > limits.upload_bytes:
        raise Problem(FILE_TOO_LARGE, f"The limit is {limits.upload_bytes} bytes.")
    kind = kind_of(data)
    if kind is Kind.UNKNOWN:
        raise Problem(NOT_AN_IMAGE, f"Send {images.FORMAT_NAMES}, PDF or ZIP.")
    return kind


def _sizes(data: bytes, kind: Kind, limits: Limits, password: str = "") -> tuple[str, list[int]]:
    if kind is Kind.PDF:
        from runtime.documents import pdf

        return "PDF", pdf.sizes(data, limits, password)
    return images.sizes(data, limits)


def _described_archive(data: bytes, limits: Limits) -> Description:
    places: list[PagePlace] = []
    skipped: list[tuple[str, str]] = []
    for name in archives.names(data, limits):
        try:
            member = archives.member(data, name, limits)
            kind = _kind(member, limits)
            if kind is Kind.ZIP:
                raise Problem(NOT_AN_IMAGE, "A ZIP within a ZIP is not opened.")
            _, sizes = _sizes(member, kind, limits)
        except Problem as problem:
            if problem.kind.code == "archive-bomb":
                raise
            skipped.append((name, problem.kind.code))
            continue
        places += [PagePlace(source=name, number=number, pixels=pixels) for number, pixels in enumerate(sizes, 1)]
        _check_count(len(places), limits)
    if not places:
        raise Problem(archives.EMPTY_ARCHIVE, "Put images or PDF files into it.")
    return Description(format="ZIP", pages=tuple(places), skipped=tuple(skipped))


def _check_count(count: int, limits: Limits) -> None:
    if count > limits.document_pages:
        raise Problem(TOO_MANY_PAGES, f"The limit is {limits.document_pages}. Send it in parts.")
