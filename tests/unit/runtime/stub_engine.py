"""An engine's socket without an engine: it answers by script, to try what the gateway makes of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from runtime.engine.wire import Health, Loading, Message
from runtime.results import EngineInfo, PageResult, Progress
from runtime.tasks.task import Task

Deed = Literal["read", "die", "end-early", "fail", "hang"]
INFO = EngineInfo(name="stub", version="1")
RESULT = PageResult(text="read", lines=(), width=1, height=1, rotation=0, engine=INFO, elapsed_s=0.0)


class StubEngine:
    """`deeds`: what becomes of each page in turn; the last one stays. `state` is what health says."""

    def __init__(
        self,
        *deeds: Deed,
        state: Literal["loading", "ready"] = "ready",
        tasks: tuple[str, ...] = ("text", "spotting"),
        why_not: str = "",
    ) -> None:
        self.tasks = tuple(Task(task) for task in tasks)
        self.why_not = why_not
        self.deeds = list(deeds) or ["read"]
        self.state = state
        self.loading: Loading | None = None
        self.after_death: Literal["loading", "ready"] = "ready"
        self.pages = 0
        self.asked: list[str] = []
        """The request lines of the pages."""
        self.looks = 0
        """How often its health was asked for."""
        self.given_up = 0
        self.at_work = 0
        self.most_at_work = 0
        self.instance = 0

    @asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[None]:
        server = await asyncio.start_unix_server(self._serve, path)
        try:
            yield
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                if head.startswith("get /health"):
                    self.looks += 1
                    health = Health(
                        state=self.state,
                        loading=self.loading,
                        engine=INFO,
                        instance=str(self.instance),
                        tasks=self.tasks,
                        why_not=self.why_not,
                    )
                    body = health.model_dump_json().encode()
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
                    await writer.drain()
                    continue
                if head.startswith("get "):
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nstub_pages 7")
                    await writer.drain()
                    continue
                self.asked.append(unquote(head.splitlines()[0]))
                length = int(head.partition("content-length:")[2].split()[0])
                await reader.readexactly(length)
                await self._read(reader, writer)
                break
        writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        deed = self.deeds.pop(0) if len(self.deeds) > 1 else self.deeds[0]
        self.pages += 1
        if deed == "die":
            self.instance += 1
            self.state = self.after_death
            return
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        writer.write(Message(progress=Progress(stage="recognise", done=1, total=2)).line())
        await writer.drain()
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            await asyncio.sleep(0.02)
            if deed == "hang":
                with contextlib.suppress(ConnectionError):  # what it had not read yet makes it a reset
                    await reader.read()  # returns when the other side closes
                self.given_up += 1
            elif deed == "fail":
                writer.write(Message(error="cannot").line())
            elif deed == "read":
                writer.write(Message(result=RESULT).line())
            await writer.drain()
        finally:
            self.at_work -= 1
