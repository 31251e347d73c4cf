"""Reads the station's golden pages, when nobody else wants anything read, and says how well.

At every start the smallest of them is read; all of them when it is asked for. Users' pages come first:
a golden page waits until the station is quiet, and is given up as soon as another page comes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import fmean
from typing import Literal

from runtime.accuracy.records import Records, SelfTestRun
from runtime.config import StationConfig
from runtime.evaluate.truths import Figures, Score, figures, pages_with_truth, score, truth_of
from runtime.gateway.reader import Reader
from runtime.gateway.recognition import Recognised, Recognition, Want
from runtime.problems import Problem
from runtime.results import EngineInfo, Progress
from runtime.tasks.task import Task

log = logging.getLogger(__name__)

GOLDEN = Path(__file__).parent / "golden"
START = "start"
"""The stem of the page that is read at every start."""
_LOOK_S = 0.05
_LOOK_WHILE_WAITING_S = 0.5
_QUIET_S = 1.0
_NOBODY_COMES_S = 300.0
"""Where someone stands before the station, with a stick in it: so long after the last page it is taken for quiet."""
_LONGEST_S = 1800.0

Trigger = Literal["start", "request"]
State = Literal["idle", "waiting", "running"]


class SelfTest:
    """`expects_pages`: whether somebody is about to have pages read; then a test at start waits longer."""

    def __init__(
        self,
        config: StationConfig,
        reader: Reader,
        recognition: Recognition,
        records: Records,
        *,
        expects_pages: Callable[[], bool] = lambda: False,
    ) -> None:
        self.state: State = "idle"
        self._config = config
        self._reader = reader
        self._recognition = recognition
        self._records = records
        self._expects_pages = expects_pages
        self._folder = config.selftest.folder or GOLDEN
        self._task: asyncio.Task[None] | None = None
        self._last: SelfTestRun | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Begin with the test at start, if the configuration wants it."""
        self._last = next(iter(await asyncio.to_thread(self._records.selftests, 1)), None)
        if self._config.selftest.at_start:
            self._begin("start")
        try:
            yield
        finally:
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait([self._task])

    def request(self) -> None:
        """Have all golden pages read, unless a test is at work already."""
        if self._task is None or self.state == "waiting":
            if self._task is not None:
                self._task.cancel()
            self._begin("request")

    @property
    def last(self) -> SelfTestRun | None:
        """The newest run that came to an end; None before the first."""
        return self._last

    def errors(self) -> float | None:
        """The character error rate of the last test; a page that could not be read counts as wholly wrong."""
        if self._last is None or self._last.outcome == "given-up":
            return None
        return 1.0 if self._last.figures.failed else self._last.figures.cer

    def _begin(self, trigger: Trigger) -> None:
        self._task = asyncio.create_task(self._run(trigger))
        self.state = "waiting"

    async def _run(self, trigger: Trigger) -> None:
        this = asyncio.current_task()
        try:
            run = await self._tested(trigger)
            log.info("self-test %s: %s %s", run.outcome, run.figures.model_dump_json(), run.why)
            self._last = run
            await asyncio.to_thread(self._records.keep_selftest, run)
        except Exception:
            log.exception("the self-test could not be done")
        finally:
            if self._task is this:
                self._task, self.state = None, "idle"

    async def _tested(self, trigger: Trigger) -> SelfTestRun:
        pages = await asyncio.to_thread(pages_with_truth, self._folder)
        if trigger == "start":
            pages = [page for page in pages if page.stem == START] or pages[:1]
        await self._quiet(trigger)
        started = time.time()
        found = _Found()
        given_up = ""
        try:
            async with asyncio.timeout(None if trigger == "start" else _LONGEST_S):
                for page in pages:
                    await self._read(page, trigger, found)
        except TimeoutError:
            given_up = "Users' pages left no time for it."
        total = figures(found.scores, len(found.failures))
        return SelfTestRun(
            trigger=trigger,
            version=self._config.version,
            started_at=started,
            finished_at=time.time(),
            outcome="given-up" if given_up else "passed" if self._is_good(total) else "failed",
            why=given_up or ", ".join(found.failures),
            figures=total,
            seconds_a_page=round(fmean(found.seconds), 3) if found.seconds else None,
            engine=found.engine,
            engine_memory_bytes=self._memory_of(found.engine),
        )

    def _is_good(self, total: Figures) -> bool:
        bounds = self._config.selftest
        fields_good = total.field_f1 is None or total.field_f1 >= bounds.least_field_f1
        return not total.failed and fields_good and (total.cer is None or total.cer <= bounds.most_cer)

    def _memory_of(self, info: EngineInfo | None) -> int | None:
        found = (each.health for each in self._reader.engines if info is not None and each.name == info.name)
        health = next(found, None)
        return None if health is None else health.memory_bytes

    async def _read(self, page: Path, trigger: Trigger, found: _Found) -> None:
        """Until it is read, or refused."""
        truth = await asyncio.to_thread(truth_of, page)
        data = await asyncio.to_thread(page.read_bytes)
        if truth.table is not None and truth.text is None and not self._reader.can(Task.TABLE):
            return
        want = Want(task=Task.TABLE) if truth.table is not None and truth.text is None else Want()
        while True:
            self.state = "running"
            started = time.monotonic()
            try:
                recognised = await self._unless_a_page_comes(data, want)
            except Problem as problem:
                found.failures.append(f"{page.name}: {problem.kind.code}")
                return
            if recognised is not None:
                break
            self.state = "waiting"
            await self._quiet(trigger)
        found.seconds.append(time.monotonic() - started)
        found.engine = recognised.page.engine
        text = recognised.page.text
        values = recognised.fields.flat() if recognised.fields else {}
        found.scores.append(score(truth, text=text, values=values, table=text))

    async def _unless_a_page_comes(self, data: bytes, want: Want) -> Recognised | None:
        """None if another page came: then this one was given up, in the engine too."""
        began = False

        def on_progress(progress: Progress) -> None:
            nonlocal began
            began = progress.stage != "queued"  # a form's fields are a second reading, which queues again

        reading = asyncio.create_task(self._recognition.read(data, want, on_progress=on_progress))
        try:
            while not reading.done():
                await asyncio.wait([reading], timeout=_LOOK_S)
                mine_waits = not began
                if self._reader.waiting > mine_waits or self._reader.ladder.in_hand > began:
                    return None
            return await reading
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([reading])

    async def _quiet(self, trigger: Trigger) -> None:
        """Until an engine is ready, the page has painted itself, and nothing was read for a while."""
        flag = self._config.painted_flag
        last = time.monotonic()
        while True:
            reader = self._reader
            painted = flag is None or flag.exists()
            if reader.state != "ready" or not painted or reader.waiting or reader.ladder.in_hand:
                last = time.monotonic()
            wanted_s = _NOBODY_COMES_S if trigger == "start" and self._expects_pages() else _QUIET_S
            if time.monotonic() - last >= wanted_s:
                return
            await asyncio.sleep(_LOOK_WHILE_WAITING_S)


class _Found:
    def __init__(self) -> None:
        self.scores: list[Score] = []
        self.failures: list[str] = []
        self.seconds: list[float] = []
        self.engine: EngineInfo | None = None
