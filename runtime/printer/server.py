"""The service's side of the socket; the protocol is that of runtime.media.wire.

One connection does one thing: `list`, or `print`, after which the PDF's bytes come; it answers with `progress`,
and in the end with `printed`. A caller that goes away cancels its job: nothing is printed that no screen shows.
"""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from runtime.media import wire
from runtime.media.answer import Asked, asked
from runtime.media.wire import WireError
from runtime.printer.printers import Printers, Standing

MOST_COPIES = 99
MOST_BYTES = 512 * 1024 * 1024


class Service:
    """`await asyncio.start_unix_server(Service(printers).answer, sock=...)`."""

    def __init__(self, printers: Printers) -> None:
        self._printers = printers
        self._one = asyncio.Lock()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asked(reader, writer, "Switch the printer off and on.") as call:
            match call.operation:
                case "list":
                    found = await self._printers.printers()
                    await call.tell("printers", {"printers": [dataclasses.asdict(each) for each in found]})
                case "print":
                    await self._print(call)
                case _:
                    raise WireError(f"there is no {call.operation}")

    async def _print(self, call: Asked) -> None:
        printer, copies, size = (_number(call.request, name) for name in ("printer", "copies", "size"))
        if not (1 <= copies <= MOST_COPIES and 0 < size <= MOST_BYTES):
            raise WireError("the job is not well formed")

        async def on_progress(standing: Standing) -> None:
            await call.tell("progress", standing)

        with tempfile.TemporaryDirectory(prefix="print-") as folder:
            file = Path(folder) / "job.pdf"
            await _receive(call.reader, size, file)
            await call.while_wanted(self._in_turn(printer, file, copies, on_progress))
        await call.tell("printed")

    async def _in_turn(self, printer: int, file: Path, copies: int, on_progress: Any) -> None:
        async with self._one:
            await self._printers.print(printer, file, copies, on_progress)


async def _receive(reader: asyncio.StreamReader, size: int, file: Path) -> None:
    with open(file, "wb") as out:
        while size:
            part = await reader.read(min(size, wire.CHUNK_BYTES))
            if not part:
                raise EOFError
            out.write(part)
            size -= len(part)


def _number(request: dict[str, Any], name: str) -> int:
    value = request.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise WireError("the job is not well formed")
    return value
