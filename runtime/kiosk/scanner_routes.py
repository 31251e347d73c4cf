"""The scanner over HTTP."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import Field, NonNegativeInt

from runtime.kiosk.body import Body
from runtime.kiosk.current import DONE
from runtime.kiosk.scanner import Colour, Paper, Scanner, Settings
from runtime.kiosk.session import Session
from runtime.scanner.client import ScannerClient

router = APIRouter(prefix="/kiosk/scanner")


class Choose(Body):
    number: NonNegativeInt


class Set(Body):
    source: Annotated[str, Field(max_length=100)] = ""
    colour: Colour = "colour"
    resolution: Annotated[int, Field(ge=50, le=1200)] = 300
    paper: Paper = "a4"


class Scan(Body):
    preview: bool = False


def plug(app: FastAPI, session: Session) -> None:
    """Give the page a scanner."""
    socket = session.config.scanner_socket
    app.state.scanner = Scanner(session, None if socket is None else ScannerClient(socket))
    session.plug(app.state.scanner)
    app.include_router(router)


def _scanner(request: Request) -> Scanner:
    return cast(Scanner, request.app.state.scanner)


Now = Annotated[Scanner, Depends(_scanner)]


@router.post("/open")
async def open_scanner(scanner: Now) -> Response:
    scanner.open()
    return DONE


@router.post("/close")
async def close(scanner: Now) -> Response:
    await scanner.close()
    return DONE


@router.post("/look")
async def look(scanner: Now) -> Response:
    scanner.look()
    return DONE


@router.post("/choose")
async def choose(scanner: Now, body: Choose) -> Response:
    scanner.choose(body.number)
    return DONE


@router.post("/settings")
async def settings(scanner: Now, body: Set) -> Response:
    scanner.set(Settings(**body.model_dump()))
    return DONE


@router.post("/scan")
async def scan(scanner: Now, body: Scan) -> Response:
    scanner.scan(preview=body.preview)
    return DONE


@router.post("/stop")
async def stop(scanner: Now) -> Response:
    await scanner.stop()
    return DONE


@router.get("/pages/{page}/picture")
async def picture(scanner: Now, page: str, large: bool = False) -> Response:
    content = await scanner.picture(page, large=large)
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "max-age=3600"})


@router.post("/pages/{page}/drop")
async def drop(scanner: Now, page: str) -> Response:
    scanner.drop(page)
    return DONE


@router.post("/read")
async def read(scanner: Now) -> Response:
    scanner.read()
    return DONE
