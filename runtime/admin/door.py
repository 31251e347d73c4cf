"""Who may come in: a PIN, once, and then a cookie that ends when nobody touches the page."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from runtime.admin.pin import MOST_DIGITS, Pin, WeakPin
from runtime.config import AdminConfig
from runtime.gateway.guards import is_loopback
from runtime.keys.mistakes import Mistakes
from runtime.problems import NOT_FOUND, Problem, ProblemKind

log = logging.getLogger(__name__)

PIN_WANTED = ProblemKind("pin-wanted", 401, "The admin page wants its PIN", "请输入管理密码")
PIN_WRONG = ProblemKind("pin-wrong", 403, "The PIN is wrong", "管理密码不正确")
PIN_WEAK = ProblemKind("pin-weak", 422, "This PIN is too easy", "管理密码过于简单")
PIN_WAIT = ProblemKind("pin-wait", 429, "Too many wrong PINs", "管理密码错误次数过多")
PIN_FIXED = ProblemKind("pin-fixed", 409, "The PIN was set when the stick was made", "管理密码已在制作启动盘时设定")

COOKIE = "inkstick_admin"
_ONE = "the admin page"
"""All who try are one caller: behind loopback there is one keyboard, and a LAN must not multiply guesses."""
_FREE_MISTAKES = 3
_MOST_SESSIONS = 16


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    pin: Annotated[str, Field(max_length=4 * MOST_DIGITS)]


class Change(Entry):
    old: Annotated[str, Field(max_length=4 * MOST_DIGITS)]


class DoorState(BaseModel):
    """`unset`: nobody has chosen a PIN yet. `wait_s`: so long no PIN is looked at. `fixed`: by the profile."""

    state: Literal["unset", "locked", "open"]
    wait_s: int
    fixed: bool


class Door:
    """The PIN, and who is in. A session ends `session_s` after it was last used by a person: a page that
    draws itself anew every few seconds does not keep it open."""

    def __init__(self, config: AdminConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._pin = Pin(config.pin_hash, config.pin_file)
        self._lan = config.lan
        self._session_s = config.session_s
        self._clock = clock
        self._mistakes = Mistakes(clock, free=_FREE_MISTAKES)
        self._sessions: dict[str, float] = {}

    def require(self, request: Request) -> None:
        """A dependency of everything behind the door. Raises Problem."""
        self.refuse_far(request)
        if not self._is_open(request):
            raise Problem(PIN_WANTED, "Enter the PIN.")
        if request.method != "GET":
            self._sessions[request.cookies[COOKIE]] = self._clock() + self._session_s

    def refuse_far(self, request: Request) -> None:
        """From another machine there is no admin page, unless the profile wants one there."""
        if not self._lan and (request.client is None or not is_loopback(request.client.host)):
            raise Problem(NOT_FOUND)

    def _is_open(self, request: Request) -> bool:
        now = self._clock()
        self._sessions = {token: until for token, until in self._sessions.items() if until > now}
        return request.cookies.get(COOKIE, "") in self._sessions

    def state(self, request: Request) -> DoorState:
        opened = self._is_open(request)
        return DoorState(
            state="open" if opened else "locked" if self._pin.is_set else "unset",
            wait_s=self._wait_s(),
            fixed=self._pin.is_given,
        )

    def _wait_s(self) -> int:
        wait = self._mistakes.wait_s(_ONE)
        return int(wait) + 1 if wait else 0

    async def enter(self, pin: str) -> str:
        """A session's token. Raises Problem PIN_WAIT, PIN_WRONG, and PIN_WANTED where none was chosen yet."""
        await self._check(pin)
        return self._session()

    async def _check(self, pin: str) -> None:
        if wait_s := self._wait_s():
            raise Problem(PIN_WAIT, f"Wait {wait_s} seconds.", retry_after_s=wait_s, extra={"wait_s": wait_s})
        if not self._pin.is_set:
            raise Problem(PIN_WANTED, "Choose a PIN first.")
        # Counted before it is looked at: guesses that come at the same moment must not share one.
        self._mistakes.add(_ONE)
        if not await asyncio.to_thread(self._pin.fits, pin):
            log.warning("a wrong PIN for the admin page")
            raise Problem(PIN_WRONG, "Try again.", extra={"wait_s": self._wait_s()})
        self._mistakes.forget(_ONE)

    async def choose(self, pin: str) -> str:
        """The first visitor's PIN. Raises Problem PIN_FIXED, PIN_WEAK, and PIN_WANTED where there is one."""
        if self._pin.is_given:
            raise Problem(PIN_FIXED, "Change it in the profile.")
        if self._pin.is_set:
            raise Problem(PIN_WANTED, "Enter the PIN.")
        return await self._set(pin)

    async def change(self, old: str, pin: str, request: Request) -> str:
        """Another PIN, by who is in and knows the old one: an open page alone does not do. Everybody else is
        out then. Raises Problem PIN_FIXED, PIN_WANTED, PIN_WAIT, PIN_WRONG, PIN_WEAK."""
        if self._pin.is_given:
            raise Problem(PIN_FIXED, "Change it in the profile.")
        if not self._is_open(request):
            raise Problem(PIN_WANTED, "Enter the PIN.")
        await self._check(old)
        return await self._set(pin)

    async def _set(self, pin: str) -> str:
        try:
            await asyncio.to_thread(self._pin.set, pin)
        except WeakPin as weak:
            raise Problem(PIN_WEAK, str(weak)) from None
        log.info("a PIN for the admin page was chosen")
        self._sessions.clear()
        return self._session()

    def _session(self) -> str:
        token = secrets.token_urlsafe(32)
        self._sessions[token] = self._clock() + self._session_s
        while len(self._sessions) > _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return token

    def leave(self, request: Request) -> None:
        self._sessions.pop(request.cookies.get(COOKIE, ""), None)


def door_routes(door: Door) -> APIRouter:
    """`/admin/door`: before it, so that none of it wants a session."""
    router = APIRouter(prefix="/admin/door")

    @router.get("")
    async def state(request: Request) -> DoorState:
        door.refuse_far(request)
        return door.state(request)

    @router.post("/enter", status_code=204)
    async def enter(request: Request, entry: Entry) -> Response:
        door.refuse_far(request)
        return _with_cookie(await door.enter(entry.pin))

    @router.post("/choose", status_code=204)
    async def choose(request: Request, entry: Entry) -> Response:
        door.refuse_far(request)
        return _with_cookie(await door.choose(entry.pin))

    @router.post("/change", status_code=204)
    async def change(request: Request, change: Change) -> Response:
        door.refuse_far(request)
        return _with_cookie(await door.change(change.old, change.pin, request))

    @router.post("/leave", status_code=204)
    async def leave(request: Request) -> Response:
        door.leave(request)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, path="/admin", httponly=True, samesite="strict")
        return response

    @router.post("/stay", status_code=204)
    async def stay(request: Request) -> Response:
        """Somebody is at the page."""
        door.require(request)
        return Response(status_code=204)

    return router


def _with_cookie(token: str) -> Response:
    """It ends with the browser at the latest. Not `Secure`: the page is plain HTTP on this very machine."""
    response = Response(status_code=204)
    response.set_cookie(COOKIE, token, path="/admin", httponly=True, samesite="strict")
    return response
