"""Lets a call through if its key is good for it; callers with bad keys wait longer each time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.gateway.problem_responses import problem_response
from runtime.gateway.refusals import KEY_REFUSED, KEY_TOO_LITTLE, KEY_WANTED, LOCKED_OUT
from runtime.keys.ring import KeyRing
from runtime.keys.ring import Scope as KeyScope
from runtime.problems import Problem

OPEN_TO_ALL = frozenset({"/livez", "/readyz"})
"""Tell no more than that the station runs."""
_FOR_ADMINS = frozenset({"/metrics", "/v1/alerts", "/v1/selftest", "/v1/accuracy"})
_FREE_MISTAKES = 5
_LONGEST_WAIT_S = 900.0
_MOST_CALLERS = 10_000


class _Mistakes:
    """Bad keys by caller: after some for free, each doubles the time in which no key is looked at."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._made: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        _, until = self._made.get(caller, (0, 0.0))
        return max(0.0, until - self._clock())

    def add(self, caller: str) -> None:
        count = self._made.pop(caller, (0, 0.0))[0] + 1
        wait = min(_LONGEST_WAIT_S, 2.0 ** (count - _FREE_MISTAKES)) if count > _FREE_MISTAKES else 0.0
        self._made[caller] = count, self._clock() + wait
        while len(self._made) > _MOST_CALLERS:
            self._made.popitem(last=False)

    def forget(self, caller: str) -> None:
        self._made.pop(caller, None)


class KeyGuard:
    """`Authorization: Bearer KEY` or `X-Api-Key: KEY`; never in the address, which is logged everywhere."""

    def __init__(self, app: ASGIApp, ring: KeyRing, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._ring = ring
        self._mistakes = _Mistakes(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN_TO_ALL:
            problem = self._problem(scope)
            if problem is not None:
                answer = problem_response(problem)
                if problem.kind.status == 401:
                    answer.headers["www-authenticate"] = "Bearer"
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        caller = scope["client"][0] if scope.get("client") else ""
        key = _key_in(Headers(scope=scope))
        if not key:
            return Problem(KEY_WANTED, "Send it as `Authorization: Bearer KEY`.")
        if wait_s := self._mistakes.wait_s(caller):
            return Problem(LOCKED_OUT, "Too many wrong keys came from this address.", retry_after_s=int(wait_s) + 1)
        try:
            scopes = self._ring.scopes_of(key)
        except (OSError, ValueError):
            scopes = None
        if scopes is None:
            self._mistakes.add(caller)
            return Problem(KEY_REFUSED, "It is unknown or revoked.")
        self._mistakes.forget(caller)
        wanted: KeyScope = "admin" if scope["path"] in _FOR_ADMINS else "ocr"
        if wanted not in scopes:
            return Problem(KEY_TOO_LITTLE, f"This wants a key with the scope {wanted}.")
        return None


def _key_in(headers: Headers) -> str:
    kind, _, key = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and key.strip():
        return key.strip()
    return headers.get("x-api-key", "").strip()
