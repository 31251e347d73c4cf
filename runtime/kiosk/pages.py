"""One page: where it comes from, what was read, what was corrected."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from runtime.gateway.recognition import Recognised, Want
from runtime.kiosk.documents import Document, Origin
from runtime.media.client import Output
from runtime.problems import BAD_REQUEST, Problem
from runtime.results import PageResult

DOUBTFUL_SCORE = 0.85
"""Lines that the engine was less sure of are marked for a second look."""
MAX_LINE_CHARACTERS = 4000


class Status(StrEnum):
    WAITING = "waiting"
    READING = "reading"
    READ = "read"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(eq=False)
class Page:
    """ONE page of a document. `place`: 0-based in it; `member`: its file's name, where the document is a ZIP.

    `want`: what it is read for. `recognised`: None until it was read. `picture`: a JPEG for the screen,
    upright as the boxes lie. `corrections`: line number to the text that a person put in its place;
    "" removes the line.
    """

    document: Document
    place: int = 0
    want: Want = field(default_factory=Want)
    member: str = ""
    status: Status = Status.WAITING
    recognised: Recognised | None = None
    problem: Problem | None = None
    picture: bytes | None = None
    corrections: dict[int, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def name(self) -> str:
        """The file's name, for people."""
        return PurePosixPath(self.member).name or self.document.name

    @property
    def sheets(self) -> int:
        """Pages that its document has; 1 while that is not known."""
        return max(1, self.document.sheets)

    @property
    def origin(self) -> Origin:
        return self.document.origin

    @property
    def result(self) -> PageResult | None:
        return None if self.recognised is None else self.recognised.page

    def correct(self, line: int, text: str) -> None:
        """Raises Problem BAD_REQUEST if there is no such line or the text is no single line."""
        if self.result is None or not 0 <= line < len(self.result.lines):
            raise Problem(BAD_REQUEST, "There is no such line.")
        if len(text) > MAX_LINE_CHARACTERS or "\n" in text or "\r" in text:
            raise Problem(BAD_REQUEST, "A line is one line of text.")
        if text == self.result.lines[line].text:
            self.corrections.pop(line, None)
        else:
            self.corrections[line] = text

    def text(self) -> str:
        """The page's text with its corrections, paragraphs and columns kept apart as they were read."""
        if self.result is None:
            return ""
        return corrected_text(self.result, self.corrections)

    def output(self) -> Output:
        """The two files of a read page: its text, and everything that is known about it."""
        assert self.result is not None
        text = self.text().rstrip("\n") + "\n"
        record = json.dumps(self._record(self.result), ensure_ascii=False, indent=1) + "\n"
        stem = PurePosixPath(self.name).stem
        if self.sheets > 1:
            stem = f"{stem}-{self.place + 1:0{len(str(self.sheets))}}"
        return Output(stem, ((".txt", text.encode()), (".json", record.encode())))

    def _record(self, result: PageResult) -> dict[str, Any]:
        whole = result.model_dump(mode="json")
        for number, line in enumerate(whole["lines"]):
            line["corrected"] = number in self.corrections
            if number in self.corrections:
                line["read_as"] = line["text"]
                line["text"] = self.corrections[number]
        return {"file": self.name, "corrected": bool(self.corrections), **whole, "text": self.text()}


def corrected_text(result: PageResult, corrections: dict[int, str]) -> str:
    """`result.text` with the corrected lines in place of what was read there.

    The lines are found one after the other, so that a line which occurs twice is not mistaken.
    """
    if not corrections:
        return result.text
    pieces: list[str] = []
    position = 0
    for number, line in enumerate(result.lines):
        start = result.text.find(line.text, position)
        if start < 0:
            return "\n".join(text for i, one in enumerate(result.lines) if (text := corrections.get(i, one.text)))
        end = start + len(line.text)
        text = corrections.get(number, line.text)
        pieces += [result.text[position:start], text]
        removed = number in corrections and not text
        position = end + 1 if removed and result.text[end : end + 1] == "\n" else end
    pieces.append(result.text[position:])
    return "".join(pieces)


def shown_name(path: str) -> str:
    """A path for people: bytes that are not UTF-8 are taken for GB18030, as old sticks wrote them."""
    raw = path.encode("utf-8", "surrogateescape")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")
