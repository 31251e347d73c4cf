"""Printing over HTTP; not there at all where the profile does not print."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import Field, NonNegativeInt

from runtime.kiosk.body import Body
from runtime.kiosk.current import DONE
from runtime.kiosk.printing import Printing, What
from runtime.kiosk.session import Session
from runtime.printer.client import PrinterClient
from runtime.printer.server import MOST_COPIES

router = APIRouter(prefix="/kiosk/printing")


class Print(Body):
    """`page`: its number from 0; None for all that were read."""

    what: What
    page: NonNegativeInt | None
    printer: int
    copies: Annotated[int, Field(ge=1, le=MOST_COPIES)] = 1


def plug(app: FastAPI, session: Session) -> None:
    """Give the page a printer, where the profile has one."""
    if session.config.printer_socket is not None:
        app.state.printing = Printing(session, PrinterClient(session.config.printer_socket))
        session.plug(app.state.printing)
        app.include_router(router)


def _printing(request: Request) -> Printing:
    return cast(Printing, request.app.state.printing)


Now = Annotated[Printing, Depends(_printing)]


@router.post("/look")
async def look(printing: Now) -> Response:
    printing.look()
    return DONE


@router.post("/print")
async def start(printing: Now, body: Print) -> Response:
    printing.print(body.what, body.page, body.printer, body.copies)
    return DONE


@router.post("/stop")
async def stop(printing: Now) -> Response:
    await printing.stop()
    return DONE


@router.post("/close")
async def close(printing: Now) -> Response:
    printing.close()
    return DONE
