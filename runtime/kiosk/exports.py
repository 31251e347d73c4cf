"""What goes out: pages that were read, in the chosen formats, as files. Pure: nothing here touches a disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from PIL import Image

from runtime.gateway.answers import full
from runtime.gateway.recognition import Recognised
from runtime.kiosk.headings import labels
from runtime.kiosk.pages import Page
from runtime.outputs.formats import Format, write
from runtime.outputs.pages import FullPage

OFFERED = (Format.TEXT, Format.JSON, Format.MARKDOWN, Format.DOCX, Format.XLSX, Format.CSV, Format.PDF)
_ENDINGS = {Format.TEXT: "txt", Format.MARKDOWN: "md"}
WITH_PICTURES = frozenset({Format.XLSX, Format.PDF})
ImageOf = Callable[[Page], Image.Image | None]
"""A page's upright picture, of any size; None if there is none any more."""


class Per(StrEnum):
    """What makes one file."""

    PAGE = "page"
    DOCUMENT = "document"
    BATCH = "batch"


@dataclass(frozen=True)
class Choice:
    """`evidence`: a file beside them that tells where they come from. `who`: the name that stands in it."""

    formats: tuple[Format, ...] = (Format.TEXT, Format.JSON)
    per: Per = Per.PAGE
    evidence: bool = False
    who: str = ""


@dataclass(frozen=True)
class Taken:
    """A page as it is taken out: its number in the batch, and what stands on it now."""

    number: int
    page: Page
    now: Recognised

    @property
    def full(self) -> FullPage:
        return full(self.now)


@dataclass(frozen=True)
class Group:
    """Pages that make one file in each format."""

    stem: str
    pages: tuple[Taken, ...]


def groups(pages: Sequence[Taken], per: Per, batch_name: str) -> Iterator[Group]:
    """The pages of each file, in their order. A document's pages may have come in between others'."""
    if per is Per.PAGE:
        for each in pages:
            yield Group(page_stem(each.page), (each,))
    elif per is Per.DOCUMENT:
        held: dict[int, list[Taken]] = {}
        for each in pages:
            held.setdefault(id(each.page.document), []).append(each)
        for several in held.values():
            ordered = sorted(several, key=lambda each: each.page.place)
            yield Group(PurePosixPath(ordered[0].page.document.name).stem, tuple(ordered))
    elif pages:
        yield Group(batch_name, tuple(pages))


def page_stem(page: Page) -> str:
    """The file's name, and the page's number where its document has several."""
    stem = PurePosixPath(page.name).stem
    return f"{stem}-{page.place + 1:0{len(str(page.sheets))}}" if page.sheets > 1 else stem


def ending(form: Format) -> str:
    """A format's suffix, as ".txt"."""
    return f".{_ENDINGS.get(form, form.value)}"


def content(form: Format, group: Group, image_of: ImageOf, version: str, language: str) -> bytes:
    """A group's file in this format, with headings in this language."""
    if form is Format.JSON:
        told = [record(each) for each in group.pages]
        whole: Any = told[0] if len(told) == 1 else {"pages": told}
        return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")
    if form is Format.TEXT and len(group.pages) == 1:
        return (group.pages[0].now.page.text.rstrip("\n") + "\n").encode("utf-8", "replace")
    pages = [each.full for each in group.pages]

    def picture(number: int) -> Image.Image | None:
        image = image_of(group.pages[number].page)
        size = (pages[number].width, pages[number].height)
        if image is not None and form is Format.XLSX and image.size != size:
            return image.resize(size)  # parts are cut out of it by the lines' places
        return image

    return write(form, pages, picture, version, labels([each.page for each in group.pages], language)).content


def record(taken: Taken) -> dict[str, Any]:
    """Everything that is known about a page; changed lines with what was read there."""
    page, now = taken.page, taken.now
    assert page.result is not None
    whole = now.page.model_dump(mode="json")
    for read, line in zip(page.result.lines, whole["lines"], strict=True):
        line["corrected"] = line["text"] != read.text
        if line["corrected"]:
            line["read_as"] = read.text
    form = None if now.fields is None else now.fields.model_dump(mode="json")
    place = {} if page.sheets == 1 else {"page": page.place + 1, "pages": page.sheets}
    return {"file": page.name, **place, "corrected": page.corrected, **whole, "form": form}
