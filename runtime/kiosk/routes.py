"""The page's own interface: all of it below /kiosk, for this page alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from runtime.kiosk.about import told
from runtime.kiosk.current import DONE, Now
from runtime.kiosk.requests import (
    ChooseStick,
    Power,
    Save,
    Speak,
)
from runtime.kiosk.session import Session
from runtime.problems import NOT_FOUND, Problem

router = APIRouter(prefix="/kiosk")

_GATHER_S = 0.25
_KEEP_ALIVE_S = 15.0


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
    page, reading = session.page(number), session.reading
    content = None if reading is None else await reading.album.look_at(page)
    if content is None:
        raise Problem(NOT_FOUND)
    return Response(content, media_type="image/jpeg")


@router.post("/stick")
async def choose_stick(session: Now, body: ChooseStick) -> Response:
    session.choose_stick(body.id)
    return DONE


@router.post("/save")
async def save(session: Now, body: Save) -> Response:
    session.save(body.stick)
    return DONE


@router.post("/save/close")
async def close_saving(session: Now) -> Response:
    session.close_saving()
    return DONE


@router.post("/save/finish")
async def finish(session: Now) -> Response:
    await session.finish()
    return DONE


@router.post("/notice/close")
async def close_notice(session: Now) -> Response:
    session.close_notice()
    return DONE


@router.post("/trouble/close")
async def close_troubles(session: Now) -> Response:
    session.close_troubles()
    return DONE


@router.post("/trouble/show")
async def show_troubles(session: Now) -> Response:
    session.show_troubles()
    return DONE


@router.get("/about")
async def about(session: Now) -> dict[str, Any]:
    return await asyncio.to_thread(told, session.config)


@router.post("/language")
async def speak(session: Now, body: Speak) -> Response:
    session.speak(body.language)
    return DONE


@router.post("/power")
async def power(session: Now, body: Power) -> Response:
    await session.power(body.action)
    return DONE
