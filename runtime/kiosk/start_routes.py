"""How far the station is with starting, and the diagnostics of its trouble page."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from runtime.kiosk.diagnostics import qr, summary
from runtime.kiosk.session import Session
from runtime.kiosk.start import Start, StartReport
from runtime.problems import NOT_FOUND, Problem

router = APIRouter(prefix="/kiosk")


def _start(request: Request) -> Start | None:
    return cast("Start | None", getattr(request.app.state, "start", None))


@router.get("/start")
async def start(request: Request) -> StartReport:
    """404 where the pages are served without a gateway around them."""
    found = _start(request)
    if found is None:
        raise Problem(NOT_FOUND)
    return found.now()


def _summary(request: Request) -> str:
    session = cast(Session, request.app.state.session)
    found = _start(request)
    return summary(session.config, session.reader.hardware.report, [] if found is None else found.alerts())


@router.get("/trouble/summary.txt")
async def told(request: Request) -> PlainTextResponse:
    return PlainTextResponse(_summary(request))


@router.get("/trouble/qr.svg")
async def code(request: Request) -> Response:
    """The same as a QR code: a telephone takes it to whoever mends the station, who is not there."""
    return Response(qr(_summary(request)), media_type="image/svg+xml")
