"""The page's own interface: all of it below /kiosk, for this page alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from runtime.kiosk.about import told
from runtime.kiosk.requests import (
    Cancel,
    ChooseStick,
    Look,
    Pause,
    Power,
    Read,
    ReadAgain,
    Save,
    Speak,
    Unlock,
)
from runtime.kiosk.session import Session
from runtime.kiosk.thumbnails import Thumbnails
from runtime.problems import NOT_FOUND, Problem

router = APIRouter(prefix="/kiosk")

_GATHER_S = 0.25
_KEEP_ALIVE_S = 15.0


def _session(request: Request) -> Session:
    return cast(Session, request.app.state.session)


def _thumbnails(request: Request) -> Thumbnails:
    return cast(Thumbnails, request.app.state.thumbnails)


Now = Annotated[Session, Depends(_session)]
Small = Annotated[Thumbnails, Depends(_thumbnails)]
_DONE = Response(status_code=204)


@router.get("/events")
async def events(session: Now) -> StreamingResponse:
    """The state, now and after every change. Changes that come close together are sent as one."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(session), media_type="text/event-stream", headers=headers)


async def _events(session: Session) -> AsyncIterator[str]:
    while True:
        change = session.next_change
        yield f"retry: 1000\nevent: state\ndata: {json.dumps(session.state())}\n\n"
        while not change.is_set():
            try:
                await asyncio.wait_for(change.wait(), _KEEP_ALIVE_S)
            except TimeoutError:
                yield ": still here\n\n"
        await asyncio.sleep(_GATHER_S)


@router.get("/state")
async def state(session: Now) -> dict[str, Any]:
    return session.state()


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
async def thumbnail(thumbnails: Small, revision: int, number: int) -> Response:
    """204 where there is none to make: the list then keeps its empty sheet."""
    content = await thumbnails.get(revision, number)
    if content is None:
        return Response(status_code=204)
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "max-age=3600"})


@router.get("/pages")
async def pages(session: Now) -> dict[str, Any]:
    reading = session.reading
    return {
        "revision": 0 if reading is None else reading.pages_revision,
        "pages": [
            {
                "name": page.name,
                "place": page.place,
                "sheets": page.sheets,
                "origin": page.origin,
                "status": page.status,
                "lines": 0 if page.result is None else len(page.result.lines),
                "code": None if page.problem is None else page.problem.kind.code,
                "detail": "" if page.problem is None else page.problem.detail,
            }
            for page in (() if reading is None else reading.pages)
        ],
    }


@router.get("/pages/{number}/picture")
async def picture(session: Now, number: int) -> Response:
    content = session.page(number).picture
    if content is None:
        raise Problem(NOT_FOUND)
    return Response(content, media_type="image/jpeg")


@router.post("/stick")
async def choose_stick(session: Now, body: ChooseStick) -> Response:
    session.choose_stick(body.id)
    return _DONE


@router.post("/read")
async def read(session: Now, body: Read) -> Response:
    session.read(body.revision, body.files)
    return _DONE


@router.post("/read/stop")
async def stop(session: Now) -> Response:
    await session.stop_reading()
    return _DONE


@router.post("/read/again")
async def read_again(session: Now, body: ReadAgain) -> Response:
    session.read_again(body.pages)
    return _DONE


@router.post("/read/cancel")
async def cancel(session: Now, body: Cancel) -> Response:
    await session.cancel(body.page)
    return _DONE


@router.post("/read/pause")
async def pause(session: Now, body: Pause) -> Response:
    session.pause(body.paused)
    return _DONE


@router.post("/look")
async def look(session: Now, body: Look) -> Response:
    session.look(body.at)
    return _DONE


@router.post("/pages/{number}/unlock")
async def unlock(session: Now, number: int, body: Unlock) -> Response:
    session.unlock(number, body.password)
    return _DONE


@router.post("/read/close")
async def close_reading(session: Now) -> Response:
    session.close_reading()
    return _DONE


@router.post("/save")
async def save(session: Now, body: Save) -> Response:
    session.save(body.stick)
    return _DONE


@router.post("/save/close")
async def close_saving(session: Now) -> Response:
    session.close_saving()
    return _DONE


@router.post("/save/finish")
async def finish(session: Now) -> Response:
    await session.finish()
    return _DONE


@router.post("/notice/close")
async def close_notice(session: Now) -> Response:
    session.close_notice()
    return _DONE


@router.post("/trouble/close")
async def close_troubles(session: Now) -> Response:
    session.close_troubles()
    return _DONE


@router.post("/trouble/show")
async def show_troubles(session: Now) -> Response:
    session.show_troubles()
    return _DONE


@router.get("/about")
async def about(session: Now) -> dict[str, Any]:
    return await asyncio.to_thread(told, session.config)


@router.post("/language")
async def speak(session: Now, body: Speak) -> Response:
    session.speak(body.language)
    return _DONE


@router.post("/power")
async def power(session: Now, body: Power) -> Response:
    await session.power(body.action)
    return _DONE
