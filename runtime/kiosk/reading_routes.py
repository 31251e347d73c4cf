"""Reading: starting, pausing, taking out, trying again; and where the person looks meanwhile."""

from __future__ import annotations

from fastapi import APIRouter, Response

from runtime.kiosk.current import DONE, Now
from runtime.kiosk.requests import Cancel, Look, Pause, Read, ReadAgain, Unlock

router = APIRouter(prefix="/kiosk")


@router.post("/read")
async def read(session: Now, body: Read) -> Response:
    session.intake.read(body.revision, body.files, body.pages)
    return DONE


@router.post("/read/stop")
async def stop(session: Now) -> Response:
    await session.intake.stop()
    return DONE


@router.post("/read/again")
async def read_again(session: Now, body: ReadAgain) -> Response:
    session.intake.again(body.pages)
    return DONE


@router.post("/read/cancel")
async def cancel(session: Now, body: Cancel) -> Response:
    await session.intake.cancel(body.page)
    return DONE


@router.post("/read/pause")
async def pause(session: Now, body: Pause) -> Response:
    session.intake.pause(body.paused)
    return DONE


@router.post("/look")
async def look(session: Now, body: Look) -> Response:
    session.intake.look(body.at)
    return DONE


@router.post("/pages/{number}/unlock")
async def unlock(session: Now, number: int, body: Unlock) -> Response:
    session.intake.unlock(number, body.password)
    return DONE


@router.post("/read/close")
async def close_reading(session: Now) -> Response:
    session.close_reading()
    return DONE
