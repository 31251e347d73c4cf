"""The page's own scripts and stylesheets, held in memory: a page load asks for some fifty of them at once."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runtime.kiosk.catalogue import PAGES
from runtime.problems import NOT_FOUND, Problem

FIRST_STYLES = (
    *("base", "screens", "choice", "queue", "review", "forgetting", "start"),
    *("exports", "keyboard", "camera", "scanner", "printing", "vault", "view"),
)
"""Of the kiosk's page, in the order in which they override each other: one file, `css/kiosk.css`, holds them."""


class HeldFiles:
    """ASGI application for every file below `folder`, as they were when it was made."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }

    def add(self, name: str, content: bytes) -> None:
        self._files[name] = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        name = str(scope["path"]).removeprefix(str(scope.get("root_path", ""))).lstrip("/")
        content = self._files.get(name)
        if content is None or scope["method"] not in ("GET", "HEAD"):
            raise Problem(NOT_FOUND)
        kind, _ = mimetypes.guess_type(name)
        await Response(content, media_type=kind or "application/octet-stream")(scope, receive, send)


def page_files() -> HeldFiles:
    """What lies below /static."""
    folder = PAGES / "static"
    held = HeldFiles(folder)
    styles = [(folder / "css" / f"{name}.css").read_bytes() for name in FIRST_STYLES]
    held.add("css/kiosk.css", b"\n".join(styles))
    return held
