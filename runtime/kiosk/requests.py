"""What the page sends."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt

from runtime.kiosk.body import Body


class ChooseStick(Body):
    id: str


class Read(Body):
    """`files` are numbers in the listing of `revision`; `pages`: of some of them, which pages, as in "1-3,7"."""

    revision: int
    files: Annotated[list[NonNegativeInt], Field(max_length=10_000)]
    pages: Annotated[dict[NonNegativeInt, Annotated[str, Field(max_length=400)]], Field(default_factory=dict)]


class ReadAgain(Body):
    pages: Annotated[list[NonNegativeInt], Field(max_length=10_000)]


class Cancel(Body):
    page: NonNegativeInt


class Pause(Body):
    paused: bool


class Look(Body):
    at: Literal["queue", "review", "list"]


class Open(Body):
    """`password`: of an encrypted PDF."""

    password: Annotated[str, Field(max_length=256)] = ""


class BeginWatch(Body):
    """`folder`: as the list shows it; "" for the whole stick. `save`: results go to the stick by themselves."""

    stick: str
    folder: Annotated[str, Field(max_length=4096)] = ""
    save: bool = False


class SaveWatched(Body):
    save: bool


class Unlock(Body):
    password: Annotated[str, Field(min_length=1, max_length=256)]


class Save(Body):
    stick: str | None = None


class Speak(Body):
    language: Literal["zh", "en"]


class Power(Body):
    action: Literal["poweroff", "reboot"]
