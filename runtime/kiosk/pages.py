"""One page: where it comes from, what was read, what was corrected."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

from runtime.gateway.recognition import Recognised, Want
from runtime.kiosk.documents import Document, Origin
from runtime.kiosk.edits import Edit, Edits
from runtime.kiosk.held import Held, content
from runtime.problems import BAD_REQUEST, Problem
from runtime.results import PageResult

DOUBTFUL_SCORE = 0.85
"""Lines that the engine was less sure of are marked for a second look."""


class Status(StrEnum):
    WAITING = "waiting"
    READING = "reading"
    READ = "read"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(eq=False)
class Page:
    """ONE page of a document. `place`: 0-based in it; `member`: its file's name, where the document is a ZIP.

    `want`: what it is read for. `recognised`: None until it was read. `shown`: a JPEG for the screen,
    upright as the boxes lie. `edits`: what a person changed; `recognised` stays as it was read.
    """

    document: Document
    place: int = 0
    want: Want = field(default_factory=Want)
    member: str = ""
    status: Status = Status.WAITING
    recognised: Recognised | None = None
    problem: Problem | None = None
    shown: Held | None = None
    edits: Edits = field(default_factory=Edits)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    source_sha256: str = ""
    """Of the file that it was read from, as it was then; of a ZIP, the whole."""
    source_bytes: int = 0

    @property
    def name(self) -> str:
        """The file's name, for people."""
        return PurePosixPath(self.member).name or self.document.name

    @property
    def sheets(self) -> int:
        """Pages that its document has; 1 while that is not known."""
        return max(1, self.document.sheets)

    @property
    def picture(self) -> bytes | None:
        """The bytes of what is shown; None where there is nothing."""
        return None if self.shown is None else content(self.shown)

    @property
    def origin(self) -> Origin:
        return self.document.origin

    @property
    def result(self) -> PageResult | None:
        return None if self.recognised is None else self.recognised.page

    def edit(self, target: str, after: str) -> Edit | None:
        """Put `after` at `target`: see Edits.apply. Raises Problem BAD_REQUEST, also where nothing was read."""
        if self.recognised is None:
            raise Problem(BAD_REQUEST, "This page has not been read.")
        return self.edits.apply(self.recognised, target, after)

    def value(self, target: str) -> str:
        """What stands at `target` now. Raises Problem BAD_REQUEST as `edit` does."""
        if self.recognised is None:
            raise Problem(BAD_REQUEST, "This page has not been read.")
        return self.edits.value(self.recognised, target)

    def edited(self) -> Recognised:
        """What goes out: what was read, with all edits applied. Only for a page that was read."""
        assert self.recognised is not None
        return self.edits.edited(self.recognised)

    def confirm(self, target: str) -> Edit:
        """See Edits.confirm. Raises Problem BAD_REQUEST as `edit` does."""
        if self.recognised is None:
            raise Problem(BAD_REQUEST, "This page has not been read.")
        return self.edits.confirm(self.recognised, target)

    @property
    def corrected(self) -> bool:
        """Whether a person changed anything, rather than found it right."""
        return any(edit.before != edit.after for edit in self.edits.log)

    @property
    def corrections(self) -> dict[int, str]:
        """Line number to the text that stands there now, of the lines that a person changed; "" removes one."""
        if self.recognised is None or not self.edits:
            return {}
        now = self.edited().page.lines
        return {
            number: line.text
            for number, (line, read) in enumerate(zip(now, self.recognised.page.lines, strict=True))
            if line.text != read.text
        }

    def text(self) -> str:
        """The page's text with its edits, paragraphs and columns kept apart as they were read."""
        return "" if self.recognised is None else self.edited().page.text


def shown_name(path: str) -> str:
    """A path for people: bytes that are not UTF-8 are taken for GB18030, as old sticks wrote them."""
    raw = path.encode("utf-8", "surrogateescape")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")
