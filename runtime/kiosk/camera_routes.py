"""The document camera over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from pydantic import Field

from runtime.documents.parts import Cut
from runtime.kiosk.body import Body
from runtime.kiosk.camera import FRAME_BYTES, Camera, Choice
from runtime.kiosk.current import DONE
from runtime.kiosk.session import Session
from runtime.problems import FILE_TOO_LARGE, Problem

router = APIRouter(prefix="/kiosk/camera")


class Chosen(Body):
    camera: Annotated[str, Field(max_length=300)] = ""
    width: Annotated[int, Field(ge=0, le=20_000)] = 0
    height: Annotated[int, Field(ge=0, le=20_000)] = 0
    by_itself: bool = True


class Change(Body):
    turn: Literal[0, 90, 180, 270] = 0
    cut: Cut | None = None


def plug(app: FastAPI, session: Session) -> None:
    """Give the page a document camera."""
    app.state.camera = Camera(session)
    session.plug(app.state.camera)
    app.include_router(router)


def _camera(request: Request) -> Camera:
    return cast(Camera, request.app.state.camera)


Now = Annotated[Camera, Depends(_camera)]


@router.post("/open")
async def open_camera(camera: Now) -> Response:
    camera.open()
    return DONE


@router.post("/close")
async def close(camera: Now) -> Response:
    camera.close()
    return DONE


@router.post("/choice")
async def choose(camera: Now, body: Chosen) -> Response:
    camera.choose(Choice(**body.model_dump()))
    return DONE


@router.post("/look")
async def look(camera: Now, request: Request) -> dict[str, Any]:
    """A frame (JPEG) in; the sheet's corners in shares of its width and height out, or null."""
    return {"corners": await camera.look(await _body(request, FRAME_BYTES))}


@router.post("/shots")
async def take(
    camera: Now,
    request: Request,
    only_if_sharp: bool = False,
    instead_of: Annotated[str, Query(max_length=64)] = "",
) -> dict[str, Any]:
    """A photograph (JPEG) in; `id` is null if it was to be sharp and is not."""
    photograph = await _body(request, camera.most_bytes)
    shot = await camera.take(photograph, only_if_sharp=only_if_sharp, instead_of=instead_of)
    return {"id": None if shot is None else shot.id, "found": shot is not None and shot.corners is not None}


@router.get("/shots/{shot}/picture")
async def picture(camera: Now, shot: str) -> Response:
    content = await camera.picture(shot)
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "max-age=3600"})


@router.post("/shots/{shot}/change")
async def change(camera: Now, shot: str, body: Change) -> Response:
    await camera.change(shot, turn=body.turn, cut=body.cut)
    return DONE


@router.post("/shots/{shot}/drop")
async def drop(camera: Now, shot: str) -> Response:
    camera.drop(shot)
    return DONE


@router.post("/read")
async def read(camera: Now) -> Response:
    camera.read()
    return DONE


async def _body(request: Request, limit_bytes: int) -> bytes:
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) > limit_bytes:
            raise Problem(FILE_TOO_LARGE, f"The limit is {limit_bytes} bytes.")
    return bytes(held)
