"""A reader without an engine, for tests of what is around it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from runtime.config import Limits
from runtime.documents.pictures import Kind, picture
from runtime.gateway.hardware import Hardware
from runtime.problems import DAMAGED_IMAGE, Problem
from runtime.results import EngineInfo, Line, PageResult, Progress

WORDS = ("Inkstick reads this page.", "第二行是中文。", "A third line, doubtful")


class StubReader:
    """Reads WORDS from any bytes but those that begin with "damaged"; `step` slows every line down."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.state = "ready"
        self.reading_engine: str | None = "stub"
        self.hardware = Hardware(None)
        self.step_s = step_s
        self.failures: list[Problem] = []

    async def read(self, data: bytes, *, on_progress: Callable[[Progress], None] | None = None) -> PageResult:
        if self.failures:
            raise self.failures.pop(0)
        if data.startswith(b"damaged"):
            raise Problem(DAMAGED_IMAGE, "It ends too early.")
        for done in range(len(WORDS)):
            if on_progress is not None:
                on_progress(Progress(stage="recognise", done=done, total=len(WORDS)))
            await asyncio.sleep(self.step_s)
        return page_result()

    async def picture(self, data: bytes, kind: Kind, clockwise: int = 0) -> bytes:
        return picture(data, kind, Limits(), clockwise)


def page_result(words: tuple[str, ...] = WORDS) -> PageResult:
    lines = tuple(
        Line(
            text=text,
            box=((40, top), (560, top), (560, top + 40), (40, top + 40)),
            score=0.6 if "doubtful" in text else 0.98,
        )
        for text, top in zip(words, range(40, 40 + 80 * len(words), 80), strict=True)
    )
    return PageResult(
        text="\n".join(words),
        lines=lines,
        width=600,
        height=800,
        rotation=0,
        engine=EngineInfo(name="stub", version="1"),
        elapsed_s=1.5,
    )
