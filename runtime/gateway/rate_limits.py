"""How often a caller may call: over it 429, told beforehand in every answer's headers.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy: "work";q=600;w=60`
says 600 in 60 seconds, `RateLimit: "work";r=599;t=42` that 599 are left, and when there will be more.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.config import Rates
from runtime.gateway.problem_responses import problem_response
from runtime.gateway.refusals import RATE_EXCEEDED
from runtime.gateway.request_notes import caller_of
from runtime.keys.guard import OPEN_TO_ALL
from runtime.problems import Problem

_UNCOUNTED = OPEN_TO_ALL | {"/docs", "/openapi.json", "/metrics"}


@dataclass(frozen=True)
class _Policy:
    """`name` stands in the headers."""

    name: str
    item: RateLimitItem

    @property
    def told(self) -> str:
        return f'"{self.name}";q={self.item.amount};w={self.item.get_expiry()}'


class RateLimit:
    """Counts what a caller sends to be read as `work`, everything else as `calls`; in memory alone.

    Callers are those of `caller_of`. The kiosk's page does not come this way.
    """

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self._app = app
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._work = None if rates.work is None else _Policy("work", parse(rates.work))
        self._calls = None if rates.calls is None else _Policy("calls", parse(rates.calls))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        policy = None
        if scope["type"] == "http" and scope["path"] not in _UNCOUNTED and not scope["path"].startswith("/static/"):
            policy = self._work if scope["method"] == "POST" else self._calls
        if policy is None:
            await self._app(scope, receive, send)
            return
        caller = caller_of(scope)
        allowed = self._limiter.hit(policy.item, policy.name, caller)
        reset_at, left = self._limiter.get_window_stats(policy.item, policy.name, caller)
        wait_s = max(1, math.ceil(reset_at - time.time()))

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["ratelimit-policy"] = policy.told
                headers["ratelimit"] = f'"{policy.name}";r={left};t={wait_s}'
            await send(message)

        if allowed:
            await self._app(scope, receive, telling)
            return
        amount, span_s = policy.item.amount, policy.item.get_expiry()
        problem = Problem(
            RATE_EXCEEDED,
            f"{amount} in {span_s} s are allowed.",
            retry_after_s=wait_s,
            extra={"violated-policies": [policy.name]},
        )
        await problem_response(problem)(scope, receive, telling)
