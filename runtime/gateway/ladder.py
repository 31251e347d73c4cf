"""The engines, best first: which reads a page, and what becomes of a page whose engine dies.

A page is read again by the first engine that is ready. One that has brought the same engine down twice
is not given to it a third time; if no other engine can do its task it is set aside, and the queue goes on.
An engine that reads several pages at a time takes all of them with it when it dies. So pages that were
there once are read again one by one, and what happens then is put down to that one page alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from runtime.documents.decode import PixelPage
from runtime.gateway.engine_client import EngineAway, EngineClient, EngineLost, OnProgress
from runtime.problems import ENGINE_UNAVAILABLE, PAGE_SET_ASIDE, Problem
from runtime.results import PageResult, Progress
from runtime.tasks.task import Ask

log = logging.getLogger(__name__)

_DEATHS = 2
"""A page that has brought an engine down this often is the cause."""
_TOGETHER_S = 5.0
"""Pages lost within this were lost by the same death."""
_RETRY_AFTER_S = 10
_MOST_UNSETTLED = 1000


class _Rung:
    """An engine, and the one page in it that is suspected."""

    def __init__(self, engine: EngineClient) -> None:
        self.engine = engine
        self._suspects = asyncio.Lock()
        self._suspect_lost_at = float("-inf")

    @asynccontextmanager
    async def held(self, suspected: bool) -> AsyncIterator[None]:
        """For as long as the engine has the page in hand."""
        if not suspected:
            yield
            return
        async with self._suspects:
            try:
                yield
            except EngineLost:
                self._suspect_lost_at = time.monotonic()
                raise

    @property
    def suspect_was_there(self) -> bool:
        """Whether what happened just now is put down to the suspected page."""
        return self._suspects.locked() or time.monotonic() - self._suspect_lost_at < _TOGETHER_S


@dataclass
class _Past:
    """What a page has done to engines. `deaths`: by engine. `why`: in order, for the page's reason."""

    deaths: Counter[str] = field(default_factory=Counter)
    why: list[str] = field(default_factory=list)


class Ladder:
    """`refuse_if_none_can` raises Problem once it is clear that no engine will do a task."""

    def __init__(
        self, engines: list[EngineClient], engine_wait_s: float, refuse_if_none_can: Callable[[Ask], None]
    ) -> None:
        self.in_hand = 0
        """Pages that engines are reading."""
        self.set_aside = 0
        """Pages given up since they brought engines down."""
        self._rungs = [_Rung(engine) for engine in engines]
        self._engine_wait_s = engine_wait_s
        self._refuse_if_none_can = refuse_if_none_can
        self._changed = asyncio.Condition()
        self._unsettled: OrderedDict[bytes, _Past] = OrderedDict()
        """Of pages that were sent back since no engine came: they may be sent again."""

    async def changed(self) -> None:
        """To be called when an engine has come or gone."""
        async with self._changed:
            self._changed.notify_all()

    def prefer(self, names: Sequence[str]) -> None:
        """From now on the engines are asked in this order; pages in hand stay where they are."""
        self._rungs.sort(key=lambda rung: names.index(rung.engine.name))

    async def read(self, page: PixelPage, ask: Ask, report: OnProgress) -> PageResult:
        """Raises Problem: PAGE_SET_ASIDE, ENGINE_UNAVAILABLE, TASK_NOT_AVAILABLE, or the engine's ENGINE_FAILED."""
        past = self._recalled(page)
        while True:
            rung = await self._ready_rung(page, ask, past)
            suspected = bool(past.deaths)
            try:
                async with rung.held(suspected):
                    if not rung.engine.ready:  # it went while the page waited for another suspect
                        continue
                    return await self._by(rung.engine, page, ask, report)
            except EngineAway:
                continue
            except EngineLost as lost:
                log.warning("a page lost its engine: %s", lost)
                report(Progress(stage="restart"))
                if suspected or not rung.suspect_was_there:
                    past.deaths[rung.engine.name] += 1
                    past.why.append(f"{rung.engine.name} {lost.why}")

    async def _by(self, engine: EngineClient, page: PixelPage, ask: Ask, report: OnProgress) -> PageResult:
        self.in_hand += 1
        try:
            return await engine.read(page, ask, report)
        finally:
            self.in_hand -= 1

    async def _ready_rung(self, page: PixelPage, ask: Ask, past: _Past) -> _Rung:
        """The first that is ready for `ask` and has not been brought down twice, waiting for one."""
        left = [rung for rung in self._rungs if past.deaths[rung.engine.name] < _DEATHS]
        try:
            async with asyncio.timeout(self._engine_wait_s), self._changed:
                while True:
                    for rung in left:
                        if rung.engine.ready and rung.engine.can(ask.task, prompted=bool(ask.prompt)):
                            return rung
                    if past.deaths and not any(rung.engine.can(ask.task, prompted=bool(ask.prompt)) for rung in left):
                        raise self._set_aside(past)
                    self._refuse_if_none_can(ask)
                    await self._changed.wait()
        except TimeoutError:
            if past.deaths:
                self._unsettled[_digest(page)] = past
                if len(self._unsettled) > _MOST_UNSETTLED:
                    self._unsettled.popitem(last=False)
            raise Problem(
                ENGINE_UNAVAILABLE, "No engine is ready. Send the page again later.", _RETRY_AFTER_S
            ) from None

    def _recalled(self, page: PixelPage) -> _Past:
        """Else a page that kills an engine which is slow to come back would be sent again for ever."""
        past = self._unsettled.pop(_digest(page), None) if self._unsettled else None
        return past or _Past()

    def _set_aside(self, past: _Past) -> Problem:
        self.set_aside += 1
        why = ", then ".join(past.why)
        log.error("a page is set aside: %s", why)
        return Problem(PAGE_SET_ASIDE, f"While reading it, {why}. Other pages are read.")


def _digest(page: PixelPage) -> bytes:
    return hashlib.blake2b(page.rgb, digest_size=16).digest()
