"""A page yet to be opened: its file's bytes and which page of it; and text that was there already."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version

from runtime.documents.cage import Opening, TextPage
from runtime.documents.parts import Region
from runtime.layout.geometry import Fragment
from runtime.layout.reading_order import arrange
from runtime.results import EngineInfo, PageResult
from runtime.tasks.task import Task


@dataclass(frozen=True)
class Sheet:
    """Page number `page`, from 0, of a file; `region`: a part of it alone.

    `take_text`: where the page was born digital, its own text will do. `password`: of an encrypted PDF.
    `opening`: that very page, if it is being opened already.
    """

    data: bytes
    page: int = 0
    region: Region | None = None
    take_text: bool = True
    password: str = ""
    opening: Opening | None = field(default=None, compare=False)


def from_own_text(page: TextPage, task: Task) -> PageResult:
    """A born-digital page as if it had been read; `engine` says that it was not."""
    arranged = arrange([Fragment(line.text, line.box, 1.0) for line in page.lines])
    return PageResult(
        text=arranged.text,
        lines=arranged.lines,
        width=page.width,
        height=page.height,
        rotation=0,
        engine=EngineInfo(name="pdf-text", version=version("pypdfium2")),
        elapsed_s=0.0,
        task=task,
    )
