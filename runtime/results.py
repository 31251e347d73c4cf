"""What reading a page gives: lines in reading order, with their boxes and scores."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Frozen):
    """One printed line.

    `box`: four corners in pixels of the upright page, clockwise from the line's top left.
    `score`: the engine's confidence, 0..1. `column`: 0-based column in reading order.
    """

    text: str
    box: Quad
    score: Annotated[float, Field(ge=0, le=1)]
    column: int = 0


class EngineInfo(_Frozen):
    """Which engine read the page: its name, version and model files' names."""

    name: str
    version: str
    models: tuple[str, ...] = ()


class PageResult(_Frozen):
    """A page as it was read.

    `width`, `height`: pixels of the upright page, after EXIF and turning; boxes are in it.
    `rotation`: degrees clockwise that the stored image was turned to stand upright.
    `text`: the lines joined in reading order, a blank line between columns or blocks.
    """

    text: str
    lines: tuple[Line, ...]
    width: int
    height: int
    rotation: Literal[0, 90, 180, 270]
    engine: EngineInfo
    elapsed_s: float


class Progress(_Frozen):
    """How far a page is. `done` and `total` count lines while `stage` is "recognise"."""

    stage: Literal["queued", "decode", "detect", "recognise", "restart"]
    done: int = 0
    total: int = 0
