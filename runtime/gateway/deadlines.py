"""A caller's own deadline: `X-Request-Timeout: SECONDS`. Past it the work ends, in the engine too.

Of a job of `/v1/jobs` the pages that are not read by then fail, with the reason `deadline-passed`.

Not `Prefer: wait` (RFC 7240): that asks for an early answer while the work goes on. Documents that may
go on are sent to `/v1/jobs`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, TypeVar

from fastapi import Header

from runtime.gateway.refusals import DEADLINE_PASSED
from runtime.problems import Problem

T = TypeVar("T")

Deadline = Annotated[
    float | None,
    Header(
        alias="X-Request-Timeout",
        gt=0,
        le=86_400,
        allow_inf_nan=False,
        description="Seconds after which an answer is of no use: what is not read is given up (504).",
    ),
]


async def within(limit_s: float | None, work: Coroutine[None, None, T]) -> T:
    """Await `work`; raises Problem(DEADLINE_PASSED), when it has been cancelled, if that takes longer."""
    try:
        async with asyncio.timeout(limit_s) as timeout:
            return await work
    except TimeoutError:
        if not timeout.expired():
            raise
        raise Problem(DEADLINE_PASSED, f"It was given up after {limit_s:g} s, as the caller wanted.") from None
