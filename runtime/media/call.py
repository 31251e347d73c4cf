"""A call of one of the station's services on its Unix socket: one line asks, lines with events answer.

The protocol is runtime.media.wire's; each call is a connection of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime import problems
from runtime.media import wire
from runtime.media.wire import WireError
from runtime.problems import Problem, ProblemKind

_KINDS = {kind.code: kind for kind in vars(problems).values() if isinstance(kind, ProblemKind)}
_LINE_BYTES = 1 << 20


@dataclass(frozen=True)
class Call:
    """`kinds`: the service's own problems, by code, beside those that all know."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    kinds: Mapping[str, ProblemKind]

    async def reply(self, *expected: str) -> tuple[str, dict[str, Any]]:
        """The next event, one of these, and what comes with it. Raises Problem if the service tells of one."""
        received = await self.reader.readline()
        if not received:
            raise EOFError("the service closed the connection")
        event, message = wire.parse(received, "event")
        if event == "problem":
            code = str(message.get("code"))
            kind = self.kinds.get(code) or _KINDS.get(code, problems.INTERNAL)
            raise Problem(kind, str(message.get("detail", "")))
        if event not in expected:
            raise WireError(f"unexpected {event}")
        return event, message


@asynccontextmanager
async def calling(
    socket: Path, operation: str, request: dict[str, Any], kinds: Mapping[str, ProblemKind], down: Problem
) -> AsyncIterator[Call]:
    """Ask for `operation`. Raises `down` if nobody answers, or not to the end."""
    writer: asyncio.StreamWriter | None = None
    try:
        reader, writer = await asyncio.open_unix_connection(socket, limit=_LINE_BYTES)
        writer.write(wire.line("op", operation, request))
        await writer.drain()
        yield Call(reader, writer, kinds)
    except (OSError, EOFError, WireError, asyncio.IncompleteReadError) as error:
        raise down from error
    finally:
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
