"""The service's side of the socket; the protocol is that of runtime.media.wire.

One connection does one thing: `list`, or `print`, after which the PDF's bytes come; it answers with `progress`,
and in the end with `printed`. A caller that goes away cancels its job: nothing is printed that no screen shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import tempfile
from pathlib import Path
from typing import Any

from runtime.media import wire
from runtime.media.wire import WireError
from runtime.printer.printers import Printers, Standing
from runtime.problems import BAD_REQUEST, INTERNAL, Problem

log = logging.getLogger(__name__)

MOST_COPIES = 99
MOST_BYTES = 512 * 1024 * 1024


class Service:
    """`await asyncio.start_unix_server(Service(printers).answer, sock=...)`."""

    def __init__(self, printers: Printers) -> None:
        self._printers = printers
        self._one = asyncio.Lock()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            operation, request = wire.parse(await reader.readline(), "op")
            match operation:
                case "list":
                    found = await self._printers.printers()
                    _send(writer, "printers", {"printers": [dataclasses.asdict(each) for each in found]})
                case "print":
                    await self._print(request, reader, writer)
                case _:
                    raise WireError(f"there is no {operation}")
        except (WireError, ValueError) as error:
            _send(writer, "problem", _told(Problem(BAD_REQUEST, str(error))))
        except Problem as problem:
            _send(writer, "problem", _told(problem))
        except (ConnectionError, EOFError):
            log.info("the caller went away")
        except Exception:
            log.exception("a request failed")
            _send(writer, "problem", _told(Problem(INTERNAL, "Switch the printer off and on.")))
        finally:
            with contextlib.suppress(ConnectionError):
                await writer.drain()
                writer.close()
                await writer.wait_closed()

    async def _print(
        self, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        printer, copies, size = (_number(request, name) for name in ("printer", "copies", "size"))
        if not (1 <= copies <= MOST_COPIES and 0 < size <= MOST_BYTES):
            raise WireError("the job is not well formed")

        async def on_progress(standing: Standing) -> None:
            _send(writer, "progress", dataclasses.asdict(standing))
            await writer.drain()

        with tempfile.TemporaryDirectory(prefix="print-") as folder:
            file = Path(folder) / "job.pdf"
            await _receive(reader, size, file)
            gone = asyncio.ensure_future(reader.read(1))
            work = asyncio.ensure_future(self._in_turn(printer, file, copies, on_progress))
            try:
                await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    raise EOFError
                await work
            finally:
                gone.cancel()
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
        _send(writer, "printed", {})

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


def _send(writer: asyncio.StreamWriter, event: str, message: dict[str, Any]) -> None:
    writer.write(wire.line("event", event, message))


def _told(problem: Problem) -> dict[str, Any]:
    return {"code": problem.kind.code, "detail": problem.detail}
