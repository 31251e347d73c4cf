"""Lets a call through if its key or token is good for it; callers with bad ones wait longer each time."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.gateway.problem_responses import problem_response
from runtime.gateway.refusals import KEY_REFUSED, KEY_TOO_LITTLE, KEY_WANTED, LOCKED_OUT
from runtime.gateway.request_notes import notes_of
from runtime.keys.grants import Grant, TokenRefused, looks_like_token
from runtime.keys.mistakes import Mistakes
from runtime.keys.ring import KeyRing
from runtime.keys.ring import Scope as KeyScope
from runtime.problems import Problem

OPEN_TO_ALL = frozenset({"/livez", "/readyz"})
"""Tell no more than that the station runs."""
_FOR_ADMINS = ("/metrics", "/v1/alerts", "/v1/selftest", "/v1/accuracy", "/v1/keys", "/v1/tokens")
"""These and what lies below them."""


class KeyGuard:
    """`Authorization: Bearer KEY` or `X-Api-Key: KEY`; never in the address, which is logged everywhere.

    A token (JWT) may stand in a key's place where `grant_of_token` is given, see `Tokens.grant`. Whose it is
    goes into the request's notes.
    """

    def __init__(
        self,
        app: ASGIApp,
        ring: KeyRing,
        grant_of_token: Callable[[str], Grant] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._ring = ring
        self._grant_of_token = grant_of_token
        self._mistakes = Mistakes(clock)

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
            grant = self._grant(key)
        except TokenRefused as refused:
            if refused.forged:
                self._mistakes.add(caller)
            return Problem(KEY_REFUSED, refused.why)
        self._mistakes.forget(caller)
        notes_of(scope).caller = grant.subject
        path = scope["path"]
        for_admins = any(path == each or path.startswith(f"{each}/") for each in _FOR_ADMINS)
        wanted: KeyScope = "admin" if for_admins else "ocr"
        if wanted not in grant.scopes:
            return Problem(KEY_TOO_LITTLE, f"This wants a key with the scope {wanted}.")
        return None

    def _grant(self, key: str) -> Grant:
        """Raises TokenRefused."""
        if self._grant_of_token is not None and looks_like_token(key):
            return self._grant_of_token(key)
        try:
            record = self._ring.find(key)
        except (OSError, ValueError):
            record = None
        if record is None:
            raise TokenRefused("It is unknown or revoked.", forged=True)
        return Grant(f"key:{record.id}", record.scopes)


def _key_in(headers: Headers) -> str:
    kind, _, key = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and key.strip():
        return key.strip()
    return headers.get("x-api-key", "").strip()
