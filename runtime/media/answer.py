"""The other end of runtime.media.call, for a service on asyncio: one line is asked, lines with events answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from runtime.media import wire
from runtime.media.wire import WireError
from runtime.problems import BAD_REQUEST, INTERNAL, Problem

log = logging.getLogger(__name__)

Made = TypeVar("Made")
Answerer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """One connection, and what its first line asks for."""

    operation: str
    request: dict[str, Any]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def tell(self, event: str, message: object | None = None, data: bytes = b"") -> None:
        """An event, its fields (a dataclass or a mapping), and bytes that follow its line."""
        self.writer.write(wire.line("event", event, message) + data)
        await self.writer.drain()

    async def while_wanted(self, work: Coroutine[Any, Any, Made]) -> Made:
        """What `work` makes. It is cancelled, and EOFError raised, when the caller goes away before it is done."""
        made = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self.reader.read(1))
        try:
            await asyncio.wait({made, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not made.done():
                raise EOFError
            return await made
        finally:
            for each in (gone, made):
                each.cancel()
            await asyncio.gather(gone, made, return_exceptions=True)


@asynccontextmanager
async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, remedy: str) -> AsyncIterator[Asked]:
    """The connection's request; every error of the body is told to the caller, a fault of ours with `remedy`.

    WireError and ValueError are the caller's faults. The connection is closed in the end.
    """

    def tell(problem: Problem) -> None:
        writer.write(wire.line("event", "problem", {"code": problem.kind.code, "detail": problem.detail}))

    try:
        operation, request = wire.parse(await reader.readline(), "op")
        yield Asked(operation, request, reader, writer)
    except (WireError, ValueError) as error:
        tell(Problem(BAD_REQUEST, str(error)))
    except Problem as problem:
        tell(problem)
    except (ConnectionError, EOFError):
        log.info("the caller went away")
    except Exception:
        log.exception("a request failed")
        tell(Problem(INTERNAL, remedy))
    finally:
        with contextlib.suppress(ConnectionError):
            await writer.drain()
            writer.close()
            await writer.wait_closed()


async def serve(listener: socket.socket, answer: Answerer) -> None:
    """Answer connections until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await asyncio.start_unix_server(answer, sock=listener)
    async with server:
        await stop.wait()


def own_socket(service: str, config: Path | None) -> Path | None:
    """`<service>_socket` of the station's configuration; None, which is said, where it has none.

    The one field that a service needs, read without pydantic: the gateway validates the whole file.
    """
    name = f"{service}_socket"
    found = json.loads((config or Path("/etc/inkstick/station.json")).read_text()).get(name)
    if found is None:
        print(f"{service}: the configuration has no {name}: nothing to do", file=sys.stderr)
    return None if found is None else Path(found)
