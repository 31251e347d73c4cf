"""Choosing what pages are read for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from runtime.gateway.recognition import Want
from runtime.kiosk.body import Body
from runtime.kiosk.current import DONE, Now
from runtime.kiosk.own_forms import OwnForm
from runtime.tasks.task import MOST_PROMPT_CHARACTERS, Key, Language, Task

router = APIRouter(prefix="/kiosk")

_Keys = Annotated[tuple[Key, ...], Field(max_length=64)]
_Prompt = Annotated[str, Field(max_length=MOST_PROMPT_CHARACTERS)]
_Name = Annotated[str, Field(min_length=1, max_length=64)]


class Choose(Body):
    """As runtime.gateway.recognition.Want."""

    task: Task | Literal["auto"] = "auto"
    form: Annotated[str, Field(max_length=64)] = ""
    keys: _Keys = ()
    to: Language = "en"
    prompt: _Prompt = ""


class Keep(Body):
    name: _Name
    keys: _Keys = ()
    prompt: _Prompt = ""


class Forget(Body):
    name: _Name


@router.get("/choice")
async def offers(session: Now) -> dict[str, Any]:
    return session.choice.offers()


@router.post("/choice")
async def choose(session: Now, body: Choose) -> Response:
    session.choice.choose(Want(**body.model_dump()))
    return DONE


@router.post("/forms")
async def keep(session: Now, body: Keep) -> Response:
    session.choice.keep(OwnForm(body.name, body.keys, body.prompt))
    return DONE


@router.post("/forms/forget")
async def forget(session: Now, body: Forget) -> Response:
    session.choice.forget(body.name)
    return DONE
