"""Pages that come in other than from the list: pasted, dropped, or by a watched folder."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from runtime.kiosk.current import DONE, Now
from runtime.kiosk.requests import BeginWatch, SaveWatched
from runtime.problems import EMPTY_FILE, FILE_TOO_LARGE, Problem

router = APIRouter(prefix="/kiosk")


@router.post("/upload")
async def upload(
    session: Now,
    request: Request,
    name: Annotated[str, Query(min_length=1, max_length=255)],
    origin: Literal["paste", "upload"] = "upload",
) -> Response:
    """The body is the file. It is opened, judged and read as one from a stick would be."""
    limit = session.config.limits.upload_bytes
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > limit:
        raise Problem(FILE_TOO_LARGE, f"The limit is {limit} bytes.")
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) > limit:
            raise Problem(FILE_TOO_LARGE, f"The limit is {limit} bytes.")
    if not held:
        raise Problem(EMPTY_FILE, "The file holds no bytes. Copy or scan it again.")
    session.add(name.replace("\\", "/").rsplit("/", 1)[-1] or name, bytes(held), origin)
    return DONE


@router.post("/watch")
async def begin_watch(session: Now, body: BeginWatch) -> Response:
    await session.watch.begin(body.stick, body.folder, body.save)
    return DONE


@router.post("/watch/save")
async def save_watched(session: Now, body: SaveWatched) -> Response:
    session.watch.save(body.save)
    return DONE


@router.post("/watch/end")
async def end_watch(session: Now) -> Response:
    session.watch.end()
    return DONE
