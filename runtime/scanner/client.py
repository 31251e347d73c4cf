"""The page's side of the scanner service's socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runtime import problems
from runtime.media import wire
from runtime.media.wire import WireError
from runtime.problems import Problem, ProblemKind
from runtime.scanner import failures
from runtime.scanner.failures import SCANNERS_DOWN
from runtime.scanner.options import Abilities, Source
from runtime.scanner.scanimage import Device, Job

_KINDS = {kind.code: kind for kind in vars(problems).values() if isinstance(kind, ProblemKind)} | failures.KINDS
_LINE_BYTES = 1 << 20


class ScannerClient:
    """Each call is a connection of its own; all raise Problem, SCANNERS_DOWN if nobody answers."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def devices(self) -> tuple[Device, ...]:
        async with self._call("list", {}) as reader:
            _, message = await _reply(reader, "devices")
            return tuple(Device(**device) for device in message["devices"])

    async def abilities(self, device: str) -> Abilities:
        async with self._call("abilities", {"device": device}) as reader:
            _, message = await _reply(reader, "abilities")
            sources = tuple(Source(**source) for source in message.pop("sources"))
            return Abilities(sources=sources, resolutions=tuple(message.pop("resolutions")), **message)

    async def scan(self, job: Job, on_progress: Callable[[int, float], None], on_page: Callable[[bytes], None]) -> int:
        """The number of pages; each goes to `on_page` (PNG) as it comes. Cancelling stops the scanner."""
        async with self._call("scan", asdict(job)) as reader:
            while True:
                event, message = await _reply(reader, "progress", "page", "scanned")
                if event == "scanned":
                    return int(message["pages"])
                if event == "page":
                    on_page(await reader.readexactly(int(message["size"])))
                else:
                    on_progress(int(message["page"]), float(message["share"]))

    @asynccontextmanager
    async def _call(self, operation: str, request: dict[str, Any]) -> AsyncIterator[asyncio.StreamReader]:
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket, limit=_LINE_BYTES)
            writer.write(wire.line("op", operation, request))
            await writer.drain()
            yield reader
        except (OSError, EOFError, WireError, asyncio.IncompleteReadError) as error:
            raise Problem(SCANNERS_DOWN, "They start again by themselves. Try again in a moment.") from error
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
