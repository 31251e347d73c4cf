"""What the page sends."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChooseStick(_Strict):
    id: str


class Read(_Strict):
    """`files` are numbers in the listing of `revision`; `pages`: of some of them, which pages, as in "1-3,7"."""

    revision: int
    files: Annotated[list[NonNegativeInt], Field(max_length=10_000)]
    pages: dict[NonNegativeInt, Annotated[str, Field(max_length=400)]] = {}


class ReadAgain(_Strict):
    pages: Annotated[list[NonNegativeInt], Field(max_length=10_000)]


class Cancel(_Strict):
    page: NonNegativeInt


class Pause(_Strict):
    paused: bool


class Look(_Strict):
    at: Literal["queue", "review", "list"]


class Open(_Strict):
    """`password`: of an encrypted PDF."""

    password: Annotated[str, Field(max_length=256)] = ""


class BeginWatch(_Strict):
    """`folder`: as the list shows it; "" for the whole stick. `save`: results go to the stick by themselves."""

    stick: str
    folder: Annotated[str, Field(max_length=4096)] = ""
    save: bool = False


class SaveWatched(_Strict):
    save: bool


class Unlock(_Strict):
    password: Annotated[str, Field(min_length=1, max_length=256)]


class Save(_Strict):
    stick: str | None = None


class Speak(_Strict):
    language: Literal["zh", "en"]


class Power(_Strict):
    action: Literal["poweroff", "reboot"]
