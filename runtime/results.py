"""What reading a page gives: lines in reading order, with their boxes and scores."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from runtime.tasks.task import Task

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Frozen):
    """One printed line.

    `box`: four corners in pixels of the upright page, clockwise from the line's top left.
    `score`: the engine's confidence, 0..1. `column`: 0-based column in reading order. `reader`: what read
    it, where the engine has several: "PP-OCRv6", "tesseract kor", or both joined by "+".
    """

    text: str
    box: Quad
    score: Annotated[float, Field(ge=0, le=1)]
    column: int = 0
    reader: str | None = None


class UnreadLine(_Frozen):
    """A line in a script that nothing on the station reads. `script`, `script_zh`: its name, or "unknown"."""

    script: str
    script_zh: str
    box: Quad


class EngineInfo(_Frozen):
    """Which engine read the page: its name, version and model files' names."""

    name: str
    version: str
    models: tuple[str, ...] = ()


Finish = Literal["complete", "truncated", "repeating"]
"""How a generated answer ended: by itself, at the token limit, or cut off because its end repeated itself."""

Caution = Literal["truncated", "repeating", "repaired", "unparsed", "unread-script"]
"""What to know before trusting a result. `repaired`: its JSON had one mistake that could mean one thing
only. `unparsed`: it is not in the task's form and stands in `raw` and `text` as it came.
`unread-script`: lines are left out, since nothing on the station reads their script; `unread` has their places."""


class Generation(_Frozen):
    """How a language model came to its answer. `token_digest`: equal where two engines wrote the same tokens.
    `prompt`: what it was asked."""

    raw: str
    finish: Finish = "complete"
    tokens: int = 0
    token_digest: str = ""
    prompt: str = ""


class PageResult(_Frozen):
    """A page as it was read.

    `width`, `height`: pixels of the upright page, after EXIF and turning; boxes are in it.
    `rotation`: degrees clockwise that the stored image was turned to stand upright.
    `text`: the lines joined in reading order, a blank line between columns or blocks; or what the task
    asked for: Markdown, HTML, LaTeX, a translation. `lines` is empty where the engine gives no places.
    `fields`: of the task `fields`. `tables`: rows of cells, spanning cells repeated.
    """

    text: str
    lines: tuple[Line, ...]
    width: int
    height: int
    rotation: Literal[0, 90, 180, 270]
    engine: EngineInfo
    elapsed_s: float
    task: Task = Task.TEXT
    fields: dict[str, str] | None = None
    tables: tuple[tuple[tuple[str, ...], ...], ...] = ()
    unread: tuple[UnreadLine, ...] = ()
    warnings: tuple[Caution, ...] = ()
    generation: Generation | None = None


class Progress(_Frozen):
    """How far a page is. `done` and `total` count lines while `stage` is "recognise".

    A language model counts its tokens in `done`, has no `total`, and gives in `text` what it has
    written since it told last.
    """

    stage: Literal["queued", "decode", "detect", "recognise", "restart"]
    done: int = 0
    total: int = 0
    text: str = ""
