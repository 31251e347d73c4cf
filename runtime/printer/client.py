"""The page's side of the printer service's socket."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from runtime.media import wire
from runtime.media.call import Call, calling
from runtime.printer import failures
from runtime.printer.failures import PRINTING_DOWN
from runtime.printer.printers import Printer, Standing
from runtime.problems import Problem


class PrinterClient:
    """Each call is a connection of its own; all raise Problem, PRINTING_DOWN if nobody answers."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def printers(self) -> tuple[Printer, ...]:
        async with self._call("list", {}) as call:
            _, message = await call.reply("printers")
            return tuple(Printer(**printer) for printer in message["printers"])

    async def print(self, printer: int, pdf: bytes, copies: int, on_progress: Callable[[Standing], None]) -> None:
        """Returns when the last sheet is out. Cancelling it cancels the job."""
        job = {"printer": printer, "copies": copies, "size": len(pdf)}
        async with self._call("print", job) as call:
            for start in range(0, len(pdf), wire.CHUNK_BYTES):
                call.writer.write(pdf[start : start + wire.CHUNK_BYTES])
                await call.writer.drain()
            while True:
                event, message = await call.reply("progress", "printed")
                if event == "printed":
                    return
                on_progress(Standing(**message))

    def _call(self, operation: str, request: dict[str, Any]) -> AbstractAsyncContextManager[Call]:
        down = Problem(PRINTING_DOWN, "It starts again by itself. Try again in a moment.")
        return calling(self._socket, operation, request, failures.KINDS, down)
