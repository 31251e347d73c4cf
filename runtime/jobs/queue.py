"""Works through the jobs' pages, and tells whoever listens how far they are."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from runtime.background import running
from runtime.jobs.records import Claim, JobStatus, Order, PageFailure, PageOutcome
from runtime.jobs.store import JobStore, Load, NewFile
from runtime.problems import ENGINE_UNAVAILABLE, INTERNAL, QUEUE_FULL, Problem
from runtime.results import Progress

log = logging.getLogger(__name__)

T = TypeVar("T")
OnProgress = Callable[[Progress], None]
ReadPage = Callable[[Claim, OnProgress], Coroutine[None, None, str]]
"""Reads a claimed page; gives its result as JSON. Raises Problem."""

_NOT_THE_PAGES_FAULT = (ENGINE_UNAVAILABLE, QUEUE_FULL)
_DEADLINE_PASSED = PageFailure(code="deadline-passed", detail="It was not read in the time that its caller gave it.")
_PAUSE_S = 2.0
_FORGET_EVERY_S = 60.0


@dataclass
class _Waiter:
    """A call that waits for its job. `problems`: of pages that could not be read, by their number."""

    on_progress: OnProgress
    done: asyncio.Event = field(default_factory=asyncio.Event)
    problems: dict[int, Problem] = field(default_factory=dict)


class JobQueue:
    """`async with JobQueue(path, read_page, ...)`. `workers`: pages read at a time.

    `keep_s`: how long a finished job's results are kept.
    """

    def __init__(self, path: Path, read_page: ReadPage, *, workers: int = 1, keep_s: float = 3600.0) -> None:
        self.keep_s = keep_s
        self._path = path
        self._read_page = read_page
        self._workers = workers
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jobs")
        self._changed = asyncio.Condition()
        self._in_flight: dict[tuple[str, int], asyncio.Task[str]] = {}
        self._waiters: dict[str, _Waiter] = {}
        self._endings: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> JobQueue:
        loop = asyncio.get_running_loop()
        self._store = await loop.run_in_executor(self._thread, JobStore, self._path)
        for job, seconds in (await self._do(self._store.deadlines)).items():
            self._end_in(seconds, job)
        self._stack = AsyncExitStack()
        for _ in range(self._workers):
            await self._stack.enter_async_context(running(self._work()))
        await self._stack.enter_async_context(running(self._forget()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for ending in self._endings:
            ending.cancel()
        await self._stack.aclose()
        await self._do(self._store.close)
        self._thread.shutdown()

    async def accept(
        self,
        caller: str,
        order: Order,
        files: Sequence[NewFile],
        *,
        digest: str,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> tuple[str, bool]:
        """Keep a job: once this returns, it will be read, or what `timeout_s` leaves time for.

        Its id, and whether it is new. Raises KeyReused.
        """
        job, new = await self._do(
            lambda: self._store.accept(
                caller, order, files, digest=digest, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )
        if new and timeout_s is not None:
            self._end_in(timeout_s, job)
        await self._tell()
        return job, new

    def _end_in(self, seconds: float, job: str) -> None:
        ending = asyncio.create_task(self._end(max(0.0, seconds), job))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def _end(self, seconds: float, job: str) -> None:
        await asyncio.sleep(seconds)
        await self._do(lambda: self._store.give_up(job, _DEADLINE_PASSED))
        self._stop_reading(job)
        await self._tell()

    @property
    def idle(self) -> bool:
        """Whether no page is in hand: one sent now would be read at once."""
        return not self._in_flight

    async def read(
        self, caller: str, order: Order, files: Sequence[NewFile], on_progress: OnProgress, *, job: str | None = None
    ) -> tuple[list[PageOutcome], dict[int, Problem]]:
        """Submit and wait: every page's outcome, and the problems of those that could not be read. `job`: its id.

        It has its turns as any job has; nothing is kept of it. Cancelling gives it up, in the engine too.
        """
        job, waiter = job or uuid.uuid4().hex, _Waiter(on_progress)
        self._waiters[job] = waiter
        try:
            await self._do(lambda: self._store.accept(caller, order, files, digest="", job=job, waited=True))
            await self._tell()
            if any(page.failure is None for _, _, pages in files for page in pages):
                await waiter.done.wait()
            return await self.outcomes(job), waiter.problems
        finally:
            del self._waiters[job]
            self._stop_reading(job)
            # One thread does it all, in order: this comes after accepting, and before whatever is asked next.
            self._thread.submit(self._remove, job)

    def _remove(self, job: str) -> None:
        try:
            self._store.remove(job)
        except Exception:
            log.exception("a job that nobody waits for could not be removed")

    async def status(self, job: str) -> JobStatus | None:
        return await self._do(lambda: self._store.status(job, self.keep_s))

    async def outcomes(self, job: str) -> list[PageOutcome]:
        return await self._do(lambda: self._store.outcomes(job))

    async def order(self, job: str) -> Order | None:
        return await self._do(lambda: self._store.order(job))

    async def sheet(self, job: str, number: int) -> tuple[bytes, int] | None:
        """See JobStore.sheet."""
        return await self._do(lambda: self._store.sheet(job, number))

    async def load(self, caller: str | None = None) -> Load:
        """See JobStore.load."""
        return await self._do(lambda: self._store.load(caller))

    async def make_room(self, size_bytes: int) -> None:
        """See JobStore.make_room."""
        await self._do(lambda: self._store.make_room(size_bytes))

    async def remove(self, job: str) -> None:
        """Delete a finished job now, not when its time is over."""
        await self._do(lambda: self._store.remove(job))
        await self._tell()

    async def cancel(self, job: str) -> None:
        """Give the job up; the engine stops reading its pages."""
        await self._do(lambda: self._store.cancel(job))
        self._stop_reading(job)
        await self._tell()

    def _stop_reading(self, job: str) -> None:
        for (owner, _), reading in self._in_flight.items():
            if owner == job:
                reading.cancel()

    async def changes(self, job: str) -> AsyncIterator[JobStatus]:
        """The job's status now and whenever it changes, until it is final or gone."""
        told: JobStatus | None = None
        while True:
            async with self._changed:
                status = await self.status(job)
                if status == told:
                    await self._changed.wait()
                    continue
            if status is None:
                return
            told = status
            yield status
            if status.is_final:
                return

    async def finished(self, job: str) -> JobStatus | None:
        """Wait for the job's end; None if it is gone."""
        last = None
        async for status in self.changes(job):
            last = status
        return last

    async def _work(self) -> None:
        while True:
            try:
                await self._work_once()
            except Exception:  # a full disk, say: it may have room again
                log.exception("the jobs' database does not answer")
                await asyncio.sleep(_PAUSE_S)

    async def _work_once(self) -> None:
        async with self._changed:
            claim = await self._do(self._store.claim)
            if claim is None:
                await self._changed.wait()
                return
            # Before anything else can run: whoever cancels the job from now on finds its page here.
            reading = asyncio.create_task(self._read_page(claim, self._progress_of(claim)))
            self._in_flight[claim.job, claim.number] = reading
        await self._see_through(claim, reading)

    def _progress_of(self, claim: Claim) -> OnProgress:
        waiter = self._waiters.get(claim.job)
        return (lambda _: None) if waiter is None else waiter.on_progress

    async def _see_through(self, claim: Claim, reading: asyncio.Task[str]) -> None:
        started = time.monotonic()
        waiter = self._waiters.get(claim.job)
        result, failure = None, None
        try:
            await self._tell()
            await asyncio.wait([reading])
            if reading.cancelled():
                return  # its job was cancelled, and the store knows
            result = reading.result()
        except asyncio.CancelledError:  # this process is ending: the page is for the next one
            reading.cancel()
            await asyncio.wait([reading])
            await self._do(lambda: self._store.put_back(claim.job, claim.number))
            raise
        except Problem as problem:
            if problem.kind in _NOT_THE_PAGES_FAULT and not claim.waited:
                await self._do(lambda: self._store.put_back(claim.job, claim.number))
                await asyncio.sleep(_PAUSE_S)
                return
            failure = PageFailure(code=problem.kind.code, detail=problem.detail)
            if waiter is not None:
                waiter.problems[claim.number] = problem
        except Exception:
            log.exception("a page of a job could not be read")
            failure = PageFailure(code=INTERNAL.code, detail="The cause is in the station's log.")
            if waiter is not None:
                waiter.problems[claim.number] = Problem(INTERNAL, failure.detail)
        finally:
            del self._in_flight[claim.job, claim.number]
        elapsed_s = time.monotonic() - started
        complete = await self._do(
            lambda: self._store.finish_page(
                claim.job, claim.number, result=result, failure=failure, elapsed_s=elapsed_s
            )
        )
        if complete and waiter is not None:
            waiter.done.set()
        await self._tell()

    async def _forget(self) -> None:
        while True:
            await self._do(lambda: self._store.forget(self.keep_s))
            await asyncio.sleep(_FORGET_EVERY_S)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
