"""An engine whose model has died takes no page more, for as long as its process still answers."""

from __future__ import annotations

import asyncio
import os
import threading

import httpx
import pytest

from runtime.engine.contract import Engine, Gone, OnProgress
from runtime.engine.crops import Pixels
from runtime.engine.server import EngineServer
from runtime.results import EngineInfo, PageResult
from runtime.tasks.task import Ask, Task

PAGE = {"params": {"width": 1, "height": 1}, "content": b"\0\0\0"}


class Dying(Engine):
    """Its model is gone when the first page is to be read."""

    @classmethod
    def configured(cls, config: object) -> Dying:
        return cls()

    def info(self) -> EngineInfo:
        return EngineInfo(name="dying", version="0")

    def tasks(self) -> tuple[Task, ...]:
        return (Task.TEXT,)

    def why_not(self) -> str:
        return ""

    def load(self) -> None:
        pass

    def read(self, page: Pixels, ask: Ask, on_progress: OnProgress, cancelled: threading.Event) -> PageResult:
        raise Gone("its server does not answer")


def test_the_page_that_it_lost_does_not_come_back_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway sends such a page again at once: lost by one engine twice, it would be set aside."""
    ended: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: ended.append(number))

    async def trial() -> None:
        server = EngineServer([Dying()], max_pixels=100, recycle_bytes=1 << 40, recycle_pages=1000)
        await server.load(60)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app), base_url="http://engine") as http:
            assert (await http.get("/health")).json()["state"] == "ready"
            lost = await http.post("/read", **PAGE)  # type: ignore[arg-type]
            assert (lost.status_code, lost.content) == (200, b""), "an answer without an end"
            assert (await http.get("/health")).json()["state"] == "loading"
            assert (await http.post("/read", **PAGE)).status_code == 503  # type: ignore[arg-type]
        async with asyncio.timeout(60):
            while not ended:  # its thread ends the process a moment after the answer
                await asyncio.sleep(0.01)

    asyncio.run(trial())
