"""Reads pages: decodes them, lets them wait their turn, and sees that an engine reads them.

Nothing is lost: a page whose engine dies is read again by the next one that is ready.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal

from runtime.background import running
from runtime.config import StationConfig
from runtime.documents.cage import Cage, TextPage
from runtime.documents.decode import PixelPage
from runtime.documents.sheet import Sheet, from_own_text
from runtime.gateway.engine_client import EngineClient, OnProgress, unheard
from runtime.gateway.hardware import Hardware
from runtime.gateway.ladder import Ladder
from runtime.gateway.milestones import Milestones
from runtime.gateway.page_log import GIVEN_UP, READ, PageLog, PageSeen
from runtime.gateway.turns import Turns
from runtime.problems import ENGINE_TIMEOUT, NOT_AN_IMAGE, QUEUE_FULL, TASK_NOT_AVAILABLE, Problem
from runtime.results import PageResult, Progress
from runtime.tasks.task import Ask, Task

State = Literal["starting", "ready", "restarting"]

_POLL_S = 1.0
_POLL_NOT_READY_S = 0.25
_POLLS_SPARED = 4
"""In a row, of an engine with pages in hand: it tells of them, and its answer costs it and us some milliseconds of the
cores on which it reads."""
DEFAULT_ASK = Ask(task=Task.SPOTTING)
_TAKES_OWN_TEXT = (Task.TEXT, Task.SPOTTING)
_NO_IMAGES = ("PDF", "ZIP")
_RETRY_AFTER_S = 10
_AHEAD = 1
"""Pages opened while others are read. One is enough: opening takes a small part of what reading does."""


class Reader:
    """`async with Reader(config) as reader:` and then `await reader.read(data)`.

    First come, first served, and as many pages at a time as the first engine that is ready reads. The
    next page is opened meanwhile, so that the engine need not wait for it.
    """

    def __init__(self, config: StationConfig, milestones: Milestones | None = None) -> None:
        self.engines = [EngineClient(engine) for engine in config.engines]
        self.hardware = Hardware(config.hardware_report)
        self.waiting = 0
        """Pages accepted and not yet being opened."""
        self._limits = config.limits
        self._milestones = milestones or Milestones(config)
        self.cage = Cage(config.limits, busy=lambda: self.ladder.in_hand > 0)
        """Opens documents; its process starts when it is first used."""
        self._turns = Turns(self._at_a_time)
        self._openings = Turns(lambda: self._at_a_time() + _AHEAD)
        self._held_bytes = 0
        self._was_ready = False
        self.log = PageLog()
        self.ladder = Ladder(self.engines, config.limits.engine_wait_s, self._refuse)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Reader:
        async with AsyncExitStack() as stack:
            for engine in self.engines:
                await stack.enter_async_context(engine)
                await stack.enter_async_context(running(self._watch(engine)))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        await asyncio.to_thread(self.cage.close)

    @property
    def state(self) -> State:
        """ "ready" when an engine would read a page at once; otherwise why not."""
        if any(engine.ready for engine in self.engines):
            return "ready"
        return "restarting" if self._was_ready else "starting"

    @property
    def reading_engine(self) -> str | None:
        """The engine that would read a page now: the first on the ladder that is ready."""
        return next((engine.name for engine in self.engines if engine.ready), None)

    async def prefer(self, names: Sequence[str]) -> None:
        """Change the ladder's order. Raises ValueError unless `names` are its engines, each once.

        The first that is ready and can do a page's task reads it, as ever: none is started or stopped here.
        """
        if sorted(names) != sorted(engine.name for engine in self.engines):
            raise ValueError("these are not the station's engines")
        self.engines.sort(key=lambda engine: names.index(engine.name))
        self.ladder.prefer(names)
        self._turns.changed()
        await self.ladder.changed()

    async def read(
        self, source: bytes | Sheet, ask: Ask = DEFAULT_ASK, *, on_progress: OnProgress | None = None
    ) -> PageResult:
        """Read the first page of an image file; unless asked otherwise, with the places of its lines.

        A Sheet is opened in the cage, when its turn has come: it may be of any kind of document, which
        whoever made it has had described.

        Raises Problem: the decoder's kinds, TASK_NOT_AVAILABLE, QUEUE_FULL, ENGINE_UNAVAILABLE (with `retry_after_s`),
        ENGINE_TIMEOUT, ENGINE_FAILED or PAGE_SET_ASIDE. Cancelling gives the page up, in the engine too.
        `on_progress` is called in the event loop and must not block.
        """
        report = on_progress or unheard
        if isinstance(source, bytes):
            source = await self._sheet(source)  # what can never be read need not wait
        self._refuse(ask)
        async with self._place(len(source.data)):
            report(Progress(stage="queued"))
            return await self._read_in_turn(source, ask, report)

    def can(self, task: Task, *, prompted: bool = False) -> bool:
        """Whether an engine has said that it can do `task`; `prompted`: in a person's own words."""
        return any(engine.can(task, prompted=prompted) for engine in self.engines)

    def refuse_if_none_can(self, task: Task, *, prompted: bool = False) -> None:
        """Raises Problem(TASK_NOT_AVAILABLE), with each engine's reason, if it is clear that none can do `task`.

        It is clear once an engine is ready: those that never answered are not coming, or only later.
        """
        if self.state != "ready" or self.can(task, prompted=prompted):
            return
        reasons, reasons_zh = self.why_not(task, prompted=prompted)
        raise Problem(TASK_NOT_AVAILABLE, reasons, extra={"task": task.value, "detail_zh": reasons_zh})

    def why_not(self, task: Task, *, prompted: bool = False) -> tuple[str, str]:
        """Each engine's reason why it cannot do `task`, in English and in Chinese."""
        reasons = [self._reason(engine, task, prompted) for engine in self.engines]
        return " ".join(en for en, _ in reasons), "".join(zh for _, zh in reasons)

    def _refuse(self, ask: Ask) -> None:
        self.refuse_if_none_can(ask.task, prompted=bool(ask.prompt))

    def _reason(self, engine: EngineClient, task: Task, prompted: bool) -> tuple[str, str]:
        name, known = engine.name, engine.known
        if known is not None and prompted and engine.can(task):
            return f"{name} cannot be asked in one's own words.", f"{name} 不能用自己的话提问。"
        if known is not None:
            return known.why_not, known.why_not_zh or known.why_not
        codes = ", ".join(self.hardware.report.against(name))
        if codes:
            return f"{name} cannot run on this machine ({codes}).", f"{name} 不能在这台机器上运行（{codes}）。"
        return f"{name} is not running.", f"{name} 没有运行。"

    @asynccontextmanager
    async def _place(self, size_bytes: int) -> AsyncIterator[None]:
        too_many = self.waiting >= self._limits.queue_pages
        too_much = self._held_bytes and self._held_bytes + size_bytes > self._limits.queue_bytes
        if too_many or too_much:
            raise Problem(QUEUE_FULL, f"{self.waiting} pages are waiting. Send this one later.", _RETRY_AFTER_S)
        self._held_bytes += size_bytes
        try:
            yield
        finally:
            self._held_bytes -= size_bytes

    @asynccontextmanager
    async def _opening(self) -> AsyncIterator[None]:
        began = False
        self.waiting += 1
        try:
            async with self._openings.taken():
                self.waiting, began = self.waiting - 1, True
                yield
        finally:
            self.waiting -= not began

    @property
    def at_a_time(self) -> int:
        """How many pages are read at a time now."""
        return self._at_a_time()

    async def _read_in_turn(self, source: Sheet, ask: Ask, report: OnProgress) -> PageResult:
        """`elapsed_s` of the result: opening it and reading it, without the waiting in between."""
        # In line for the engine from now on, or a page that opens quickly would come before an earlier one.
        async with self._opening(), self._turns.lined_up() as turn:
            started = time.monotonic()
            report(Progress(stage="decode"))
            page = await self._opened(source, ask.task)
            if isinstance(page, TextPage):
                return from_own_text(page, ask.task)
            opened_s = time.monotonic() - started
            if not turn.done():
                report(Progress(stage="queued"))
                await turn
            started = time.monotonic()
            try:
                async with asyncio.timeout(self._limits.request_timeout_s):
                    result = await self._read_somehow(page, ask, report)
            except TimeoutError:
                told = f"It was given up after {self._limits.request_timeout_s} s."
                raise Problem(ENGINE_TIMEOUT, told) from None
        elapsed_s = opened_s + time.monotonic() - started
        return result.model_copy(update={"elapsed_s": round(elapsed_s, 3)})

    @property
    def most_in_hand(self) -> int:
        """Pages that it can do something about at a time: those that are read, and those opened meanwhile."""
        return max(engine.parallel for engine in self.engines) + _AHEAD

    def _at_a_time(self) -> int:
        """What the first engine that is ready takes; while none is, one page is as good as several."""
        return next((engine.parallel for engine in self.engines if engine.ready), 1)

    async def _sheet(self, data: bytes) -> Sheet:
        described = await self.cage.describe(data)
        if described.format in _NO_IMAGES:
            raise Problem(NOT_AN_IMAGE, "Send an image file.")
        return Sheet(data)

    async def _opened(self, source: Sheet, task: Task) -> PixelPage | TextPage:
        if source.opening is not None:
            opened = await asyncio.shield(source.opening)  # whoever gives up does not spoil it for others
            if opened is not None:
                return opened
        take_text = source.take_text and task in _TAKES_OWN_TEXT
        return await self.cage.render(
            source.data, source.page, region=source.region, take_text=take_text, password=source.password
        )

    async def _read_somehow(self, page: PixelPage, ask: Ask, report: OnProgress) -> PageResult:
        started = time.monotonic()
        outcome, result = GIVEN_UP, None
        try:
            result = await self.ladder.read(page, ask, report)
            outcome = READ
            return result
        except Problem as problem:
            outcome = problem.kind.code
            raise
        finally:
            seconds = time.monotonic() - started
            if outcome == GIVEN_UP and seconds >= self._limits.request_timeout_s:
                outcome = ENGINE_TIMEOUT.code
            self.cage.rest_soon()
            engine = result.engine.name if result is not None else ""
            self.log.add(PageSeen(ask.task, engine, outcome, seconds, result))

    async def _watch(self, engine: EngineClient) -> None:
        """Follow one engine: each by itself, since one that hangs answers late."""
        while True:
            engine.looked_for.clear()
            await engine.poll()
            engine.loads.seen(engine.ready)
            if self.state == "ready":
                self._was_ready = True
                self._milestones.reached("engine-ready")
            self._turns.changed()
            self._openings.changed()
            await self.ladder.changed()
            for _ in range(1 + _POLLS_SPARED):
                if await self._looked_for(engine) or not (engine.ready and engine.in_hand):
                    break

    async def _looked_for(self, engine: EngineClient) -> bool:
        """Wait for the time of its next poll; whether it is to be looked after before that."""
        try:
            async with asyncio.timeout(_POLL_S if engine.ready else _POLL_NOT_READY_S):
                await engine.looked_for.wait()
                await asyncio.sleep(_POLL_NOT_READY_S)  # let a dying engine's socket close
        except TimeoutError:
            return False
        return True
