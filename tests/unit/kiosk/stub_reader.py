"""A reader without an engine, for tests of what is around it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from runtime.config import Limits
from runtime.documents.cage import Cage
from runtime.documents.opening import describe
from runtime.documents.parts import Description
from runtime.documents.pictures import Kind, picture
from runtime.documents.sheet import Sheet
from runtime.gateway.hardware import Hardware
from runtime.gateway.reader import DEFAULT_ASK
from runtime.problems import DAMAGED_IMAGE, Problem
from runtime.results import EngineInfo, Line, PageResult, Progress
from runtime.tasks.task import Ask, Task

WORDS = ("Inkstick reads this page.", "第二行是中文。", "A third line, doubtful")


class StubCage(Cage):
    """Opens documents in this very process: its tests open nobody else's."""

    def __init__(self) -> None:
        super().__init__(Limits())

    async def describe(self, data: bytes, password: str = "") -> Description:
        return describe(data, Limits(), password)

    async def picture(self, data: bytes, kind: Kind, clockwise: int = 0, page: int = 0, password: str = "") -> bytes:
        return picture(data, kind, Limits(), clockwise, page, password)


class StubReader:
    """Reads WORDS from any bytes but those that begin with "damaged"; `step` slows every line down."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.state = "ready"
        self.reading_engine: str | None = "stub"
        self.hardware = Hardware(None)
        self.step_s = step_s
        self.at_a_time = 1
        self.cage = StubCage()
        self.tasks = {Task.TEXT, Task.SPOTTING}
        self.failures: list[Problem] = []

    def can(self, task: Task, *, prompted: bool = False) -> bool:
        return task in self.tasks and not prompted

    def why_not(self, task: Task, *, prompted: bool = False) -> tuple[str, str]:
        return f"stub cannot do {task}.", f"stub 不能做 {task}。"

    async def read(
        self,
        source: bytes | Sheet,
        ask: Ask = DEFAULT_ASK,
        *,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> PageResult:
        data = source.data if isinstance(source, Sheet) else source
        if self.failures:
            raise self.failures.pop(0)
        if data.startswith(b"damaged"):
            raise Problem(DAMAGED_IMAGE, "It ends too early.")
        for done in range(len(WORDS)):
            if on_progress is not None:
                on_progress(Progress(stage="recognise", done=done, total=len(WORDS)))
            await asyncio.sleep(self.step_s)
        return page_result()


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
