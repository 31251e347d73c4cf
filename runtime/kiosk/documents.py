"""A file that pages come from: on a stick, or in memory; and which of its pages are wanted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from runtime.documents.parts import Description
from runtime.documents.signatures import Kind, kind_of
from runtime.kiosk.held import Held

Origin = Literal["stick", "camera", "scanner", "paste", "watch", "upload"]

_ONE_PAGE = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif"})
_PAGED_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(eq=False)
class Document:
    """One file. `data`: its bytes where the station holds them; else it is found at `path` on a stick.

    `stick_uuid` finds it again when its stick was pulled out and put back. `wanted`: which of its pages,
    as `runtime.documents.selection` takes them. `sheets`: how many it has; 0 while it has not been opened.
    """

    name: str
    origin: Origin
    path: str = ""
    stick_id: str = ""
    stick_uuid: str = ""
    data: Held | None = None
    wanted: str = ""
    password: str = ""
    sheets: int = 0
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def seems_single(self) -> bool:
        """Whether its name promises a single page, so that it need not be opened to be listed."""
        return not self.wanted and PurePosixPath(self.name).suffix.lower() in _ONE_PAGE

    def opened(self, description: Description) -> None:
        self.sheets = len(description.pages)


def may_have_pages(data: bytes) -> bool:
    """Whether these bytes may be more than one page, whatever the file's name says."""
    return kind_of(data) in (Kind.PDF, Kind.ZIP, Kind.HEIF) or data.startswith(_PAGED_HEADS)
