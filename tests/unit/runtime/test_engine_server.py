"""What an engine's server tells of a page; one whose model has died takes no page more while it still answers."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import httpx
import pytest

from runtime.documents.pixels import Pixels as SharedPixels
from runtime.engine import server as server_module
from runtime.engine.contract import Engine, Gone, OnProgress
from runtime.engine.crops import Pixels
from runtime.engine.page_socket import answers, asked
from runtime.engine.server import EngineServer
from runtime.engine.wire import Message, Question
from runtime.results import EngineInfo, PageResult, Progress
from runtime.tasks.task import Ask, Task

RESULT = PageResult(
    text="read", lines=(), width=1, height=1, rotation=0, engine=EngineInfo(name="chatty", version="0"), elapsed_s=0.0
)
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


class Chatty(Dying):
    """Tells of every line."""

    def read(self, page: Pixels, ask: Ask, on_progress: OnProgress, cancelled: threading.Event) -> PageResult:
        on_progress(Progress(stage="detect"))
        for done in range(5):
            on_progress(Progress(stage="recognise", done=done, total=5, text="word "))
        return RESULT


@pytest.mark.parametrize(("followed", "life_every_s", "told"), [(True, 1e9, 6), (False, 1e9, 0), (False, 0.0, 6)])
def test_a_page_that_nobody_follows_gives_signs_of_life_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, followed: bool, life_every_s: float, told: int
) -> None:
    monkeypatch.setattr(server_module, "_LIFE_EVERY_S", life_every_s)
    path = tmp_path / "engine.sock"
    server = EngineServer([Chatty()], max_pixels=100, recycle_bytes=1 << 40, recycle_pages=1000, socket=path)

    async def trial() -> list[Message]:
        await server.load(60)
        async with asyncio.timeout(60), server.app.router.lifespan_context(server.app):
            connection = asked(Question(width=1, height=1, followed=followed), SharedPixels.of(b"ink"), path)
            return [Message.model_validate_json(line) async for line in answers(connection)]

    *progress, last = asyncio.run(trial())
    assert last.result == RESULT
    assert len(progress) == told and all(message.progress for message in progress)


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
