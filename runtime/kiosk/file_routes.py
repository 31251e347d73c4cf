"""The chosen stick's files, and what their pages and those brought in look like."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response

from runtime.kiosk.current import Now
from runtime.kiosk.requests import Open
from runtime.kiosk.thumbnails import Thumbnails

router = APIRouter(prefix="/kiosk")


def _thumbnails(request: Request) -> Thumbnails:
    return cast(Thumbnails, request.app.state.thumbnails)


Small = Annotated[Thumbnails, Depends(_thumbnails)]


@router.get("/files")
async def files(session: Now) -> dict[str, Any]:
    shelf = session.shelf
    return {
        "revision": shelf.files_revision,
        "files": [
            {"folder": file.folder, "name": file.name, "size_bytes": file.size_bytes} for file in shelf.files or ()
        ],
    }


@router.get("/files/{revision}/{number}/thumbnail")
async def thumbnail(thumbnails: Small, revision: int, number: int, page: int = 0) -> Response:
    """204 where there is none to make: the list then keeps its empty sheet."""
    return _picture(await thumbnails.of_file(revision, number, page))


@router.post("/files/{revision}/{number}/open")
async def open_file(session: Now, revision: int, number: int, body: Open) -> dict[str, Any]:
    """How many pages the file has; `members`: the files' names, of a ZIP."""
    description = await session.peeked.describe(revision, number, body.password)
    return {
        "format": description.format,
        "pages": len(description.pages),
        "members": [place.source for place in description.pages] if description.format == "ZIP" else [],
        "skipped": len(description.skipped),
    }


@router.get("/pages/{number}/thumbnail")
async def page_thumbnail(session: Now, thumbnails: Small, number: int) -> Response:
    """As of a file."""
    return _picture(await thumbnails.of_page(session.page(number)))


def _picture(content: bytes | None) -> Response:
    if content is None:
        return Response(status_code=204)
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "max-age=3600"})
