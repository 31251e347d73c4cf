"""What a document consists of, and what is asked of the process that opens it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from runtime.config import Limits
from runtime.results import Quad

Corner = tuple[float, float]
"""Shares of a photograph's width and height."""
Corners = tuple[Corner, Corner, Corner, Corner]
"""Of a sheet in a photograph, clockwise from its top left."""
Cut = Literal["sheet", "whole"]
"""What of a photograph is a page: the sheet that is found in it, or all of it."""
Thousandth = Annotated[int, Field(ge=0, le=1000)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PagePlace(_Frozen):
    """One page. `source`: the file's name within a ZIP, else "". `number`: 1-based within its file.

    `pixels`: that it will have, as far as its header tells.
    """

    source: str = ""
    number: PositiveInt
    pixels: NonNegativeInt = 0


class Description(_Frozen):
    """`format`: of the outermost file: "PDF", "ZIP", "TIFF", "JPEG", ... `pages`: in reading order.

    `skipped`: files within a ZIP that are no pages, with the reason's code.
    """

    format: str
    pages: tuple[PagePlace, ...]
    skipped: tuple[tuple[str, str], ...] = ()


class Region(_Frozen):
    """Part of a page, in thousandths of its width and height."""

    left: Thousandth = 0
    top: Thousandth = 0
    right: Thousandth = 1000
    bottom: Thousandth = 1000

    @model_validator(mode="after")
    def _has_inside(self) -> Region:
        if self.left >= self.right or self.top >= self.bottom:
            raise ValueError("a region's right and bottom lie beyond its left and top")
        return self


class PrintedLine(_Frozen):
    """A line of text as a PDF holds it; `box` in pixels of the rendered page."""

    text: str
    box: Quad


class OwnText(_Frozen):
    """A page's text as its PDF holds it; `width` and `height` are what the boxes are in."""

    width: int
    height: int
    lines: tuple[PrintedLine, ...]


class Request(_Frozen):
    """What the caged process is asked, as JSON beside the file's descriptor.

    `page`: place in Description.pages, from 0. `region`: rendered alone. `take_text`: give a PDF's
    own text instead of pixels where it is there and good. `open`: describe, and render if that is one
    image; a line of JSON for each. `kind`, `clockwise`: of a picture for the screen.
    "look" and "cut_out" are for photographs of a sheet (see `photographs`): `cut`, `clockwise`.
    `password`: of an encrypted PDF.
    """

    what: Literal["describe", "render", "open", "picture", "look", "cut_out"]
    limits: Limits
    kind: Literal["thumbnail", "card", "reduced", "preview"] = "preview"
    cut: Cut = "sheet"
    clockwise: int = 0
    page: int = 0
    region: Region | None = None
    take_text: bool = True
    password: str = ""


class Reply(_Frozen):
    """What it answers: a description, a page (`width`, `height` pixels; RGB in the output descriptor,
    unless `lines` is given), a JPEG of `size` bytes there, or a problem's code and detail. `corners`, `sharp`:
    of the sheet in a photograph."""

    description: Description | None = None
    width: int = 0
    height: int = 0
    size: int = 0
    lines: tuple[PrintedLine, ...] | None = None
    corners: Corners | None = None
    sharp: bool = False
    problem: str = ""
    detail: str = ""
