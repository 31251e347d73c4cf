"""The page's side of the helper's socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime import problems
from runtime.media import vault_wire, wire
from runtime.media.failures import HELPER_DOWN, NOT_AVAILABLE
from runtime.media.wire import Listing, Saved, SaveProgress, Snapshot, WireError
from runtime.problems import Problem, ProblemKind

_KINDS = {
    kind.code: kind
    for kind in [*vars(problems).values(), NOT_AVAILABLE, *vault_wire.KINDS]
    if isinstance(kind, ProblemKind)
}


@dataclass(frozen=True)
class Output:
    """A document to save: `parts` are suffix and content, (".txt", b"..."), or the file that holds the content."""

    stem: str
    parts: tuple[tuple[str, bytes | Path], ...]

    @property
    def announced(self) -> dict[str, Any]:
        sizes = (each.stat().st_size if isinstance(each, Path) else len(each) for _, each in self.parts)
        parts = [{"suffix": suffix, "size_bytes": size} for (suffix, _), size in zip(self.parts, sizes, strict=True)]
        return {"stem": self.stem, "parts": parts}


class MediaClient:
    """Each call is a connection of its own; all raise Problem, HELPER_DOWN if nobody answers."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    async def watch(self) -> AsyncIterator[Snapshot]:
        """What is plugged in, now and after every change, until the helper goes away (HELPER_DOWN)."""
        async with self.call("watch", {}) as (reader, _):
            while True:
                _, message = await self.reply(reader, "sticks")
                yield wire.snapshot(message)

    async def files(self, stick: str) -> Listing:
        async with self.call("list", {"stick": stick}) as (reader, _):
            _, message = await self.reply(reader, "files")
            return wire.listing(message)

    async def read(self, stick: str, path: str, limit_bytes: int) -> bytes:
        request = {"stick": stick, "path": path, "limit_bytes": limit_bytes}
        async with self.call("read", request) as (reader, _):
            _, message = await self.reply(reader, "data")
            return await reader.readexactly(int(message["size"]))

    async def names(self, stick: str, outputs: Sequence[Output]) -> tuple[str, ...]:
        """What the files would be called if they were saved now, in their order."""
        request = {"stick": stick, "documents": [output.announced for output in outputs]}
        async with self.call("names", request) as (reader, _):
            _, message = await self.reply(reader, "names")
            return tuple(str(name) for name in message["names"])

    async def save(self, stick: str, outputs: Sequence[Output], on_progress: Callable[[SaveProgress], None]) -> Saved:
        """When this returns, the stick holds every file, checked by reading back, and is unmounted.

        Cancelled before every byte was sent, it leaves nothing on the stick.
        """
        request = {"stick": stick, "documents": [output.announced for output in outputs]}
        async with self.call("save", request) as (reader, writer):
            sending = asyncio.create_task(_send_parts(writer, outputs))
            try:
                while True:
                    event, message = await self.reply(reader, "progress", "saved")
                    if event == "saved":
                        return Saved(str(message["folder"]), tuple(message["names"]))
                    on_progress(SaveProgress(**message))
            except asyncio.CancelledError:
                writer.transport.abort()  # closing would first send all that waits
                raise
            finally:
                sending.cancel()

    async def use(self, stick: str) -> None:
        """Mount an ejected stick again."""
        async with self.call("use", {"stick": stick}) as (reader, _):
            await self.reply(reader, "ok")

    async def power(self, action: str) -> None:
        """ "poweroff" or "reboot"; Problem NOT_AVAILABLE where the helper may not."""
        async with self.call("power", {"action": action}) as (reader, _):
            await self.reply(reader, "ok")

    @asynccontextmanager
    async def call(
        self, operation: str, request: dict[str, Any]
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection on which this was asked. For other clients of the same helper, as `reply` is."""
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await asyncio.open_unix_connection(self.socket, limit=wire.LINE_BYTES)
            writer.write(wire.line("op", operation, request))
            await writer.drain()
            yield reader, writer
        except (OSError, EOFError, ValueError, WireError) as error:
            raise Problem(HELPER_DOWN, "Wait a moment, or restart the station.") from error
        finally:
            if writer is not None:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    @staticmethod
    async def reply(reader: asyncio.StreamReader, *expected: str) -> tuple[str, dict[str, Any]]:
        received = await reader.readline()
        if not received:
            raise EOFError("the helper closed the connection")
        event, message = wire.parse(received, "event")
        if event == "problem":
            kind = _KINDS.get(str(message.get("code")), problems.INTERNAL)
            raise Problem(kind, str(message.get("detail", "")), extra=dict(message.get("extra") or {}))
        if event not in expected:
            raise WireError(f"unexpected {event}")
        return event, message


async def _send_parts(writer: asyncio.StreamWriter, outputs: Sequence[Output]) -> None:
    with contextlib.suppress(OSError):  # the helper refused: its reply says why
        for output in outputs:
            for _, content in output.parts:
                if isinstance(content, bytes):
                    writer.write(content)
                    await writer.drain()
                    continue
                with open(content, "rb") as file:
                    while piece := await asyncio.to_thread(file.read, wire.CHUNK_BYTES):
                        writer.write(piece)
                        await writer.drain()
