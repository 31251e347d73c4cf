"""Forgetting, as the page asks for it."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response

from runtime.kiosk.forgetting import Forgetting

router = APIRouter(prefix="/kiosk")


def _forgetting(request: Request) -> Forgetting:
    return cast(Forgetting, request.app.state.forgetting)


Now = Annotated[Forgetting, Depends(_forgetting)]


@router.post("/forget", status_code=204)
async def forget(forgetting: Now) -> Response:
    await forgetting.forget_batch()
    return _emptied()


@router.post("/forgotten", status_code=204)
async def forgotten() -> Response:
    """For a page that sees that something was forgotten: its browser lets go of pictures it has kept."""
    return _emptied()


@router.post("/awake", status_code=204)
async def awake(forgetting: Now) -> Response:
    forgetting.touched()
    return Response(status_code=204)


@router.post("/uncover", status_code=204)
async def uncover(forgetting: Now) -> Response:
    forgetting.uncover()
    return Response(status_code=204)


def _emptied() -> Response:
    return Response(status_code=204, headers={"Clear-Site-Data": '"cache"'})
