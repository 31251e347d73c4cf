"""The page's side of the printer service's socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from runtime import problems
from runtime.media import wire
from runtime.media.wire import WireError
from runtime.printer import failures
from runtime.printer.failures import PRINTING_DOWN
from runtime.printer.printers import Printer, Standing
from runtime.problems import Problem, ProblemKind

_KINDS = {kind.code: kind for kind in vars(problems).values() if isinstance(kind, ProblemKind)} | failures.KINDS


class PrinterClient:
    """Each call is a connection of its own; all raise Problem, PRINTING_DOWN if nobody answers."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def printers(self) -> tuple[Printer, ...]:
        async with self._call("list", {}) as (reader, _):
            _, message = await _reply(reader, "printers")
            return tuple(Printer(**printer) for printer in message["printers"])

    async def print(self, printer: int, pdf: bytes, copies: int, on_progress: Callable[[Standing], None]) -> None:
        """Returns when the last sheet is out. Cancelling it cancels the job."""
        job = {"printer": printer, "copies": copies, "size": len(pdf)}
        async with self._call("print", job) as (reader, writer):
            for start in range(0, len(pdf), wire.CHUNK_BYTES):
                writer.write(pdf[start : start + wire.CHUNK_BYTES])
                await writer.drain()
            while True:
                event, message = await _reply(reader, "progress", "printed")
                if event == "printed":
                    return
                on_progress(Standing(**message))

    @asynccontextmanager
    async def _call(
        self, operation: str, request: dict[str, Any]
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket)
            writer.write(wire.line("op", operation, request))
            await writer.drain()
            yield reader, writer
        except (OSError, EOFError, WireError, asyncio.IncompleteReadError) as error:
            raise Problem(PRINTING_DOWN, "It starts again by itself. Try again in a moment.") from error
        finally:
            if writer is not None:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()


async def _reply(reader: asyncio.StreamReader, *expected: str) -> tuple[str, dict[str, Any]]:
    received = await reader.readline()
    if not received:
        raise EOFError("the service closed the connection")
    event, message = wire.parse(received, "event")
    if event == "problem":
        raise Problem(_KINDS.get(str(message.get("code")), problems.INTERNAL), str(message.get("detail", "")))
    if event not in expected:
        raise WireError(f"unexpected {event}")
    return event, message
