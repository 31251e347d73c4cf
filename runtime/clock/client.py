"""The gateway's side of the clock's socket."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.media import wire
from runtime.media.wire import WireError
from runtime.problems import Problem, ProblemKind

CLOCK_REFUSED = ProblemKind("clock-refused", 409, "The clock was not set", "时钟未能设置")
CLOCK_NOT_OURS = ProblemKind("clock-not-ours", 409, "The clock is not the station's", "时钟不由本机设置")
_LIMIT_S = 30.0
"""The helper is only started when it is asked, and a machine that reads a page has little time for it."""


@dataclass(frozen=True)
class ClockSet:
    """`board`: the board's own clock has taken it too, and keeps it when the power is off."""

    at: float
    board: bool


class ClockClient:
    """`socket`: None where nobody may set the clock (`build.py serve`). Every call raises Problem."""

    def __init__(self, socket: Path | None) -> None:
        self._socket = socket

    @property
    def can_set(self) -> bool:
        return self._socket is not None

    async def ask(self) -> ClockSet:
        return await self._call("ask", {})

    async def set(self, at: float) -> ClockSet:
        """Raises Problem CLOCK_REFUSED, CLOCK_NOT_OURS."""
        return await self._call("set", {"at": at})

    async def _call(self, operation: str, message: dict[str, Any]) -> ClockSet:
        if self._socket is None:
            raise Problem(CLOCK_NOT_OURS, "Set the clock of the computer that this runs on.")
        try:
            async with asyncio.timeout(_LIMIT_S):
                reader, writer = await asyncio.open_unix_connection(self._socket)
                try:
                    writer.write(wire.line("op", operation, message))
                    await writer.drain()
                    _, answer = wire.parse(await reader.readline(), "event")
                finally:
                    writer.close()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()
        except (OSError, TimeoutError, WireError) as error:
            raise Problem(CLOCK_REFUSED, "The clock's helper does not answer.") from error
        if "refused" in answer:
            raise Problem(CLOCK_REFUSED, str(answer["refused"]))
        return ClockSet(float(answer["at"]), bool(answer["board"]))
