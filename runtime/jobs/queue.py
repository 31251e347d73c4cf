"""Works through the jobs' pages, and tells whoever listens how far they are."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from runtime.background import running
from runtime.jobs.records import Claim, JobStatus, Order, PageFailure, PageOutcome
from runtime.jobs.store import JobStore, Load, NewFile
from runtime.problems import ENGINE_UNAVAILABLE, INTERNAL, QUEUE_FULL, Problem
from runtime.results import Progress

log = logging.getLogger(__name__)

T = TypeVar("T")
OnProgress = Callable[[Progress], None]
R = TypeVar("R", bound=BaseModel)
ReadPage = Callable[[Claim, OnProgress | None], Coroutine[None, None, R]]
"""Reads a claimed page; None: nobody follows it. Raises Problem."""

_NOT_THE_PAGES_FAULT = (ENGINE_UNAVAILABLE, QUEUE_FULL)
_DEADLINE_PASSED = PageFailure(code="deadline-passed", detail="It was not read in the time that its caller gave it.")
_PAUSE_S = 2.0
_FORGET_EVERY_S = 60.0


@dataclass(frozen=True)
class Waited(Generic[R]):
    """What became of a document that was waited for: every page by its number, in one of the first two.

    `problems`: of the failures, those that are no file left out.
    """

    results: dict[int, R]
    failures: dict[int, PageFailure]
    problems: dict[int, Problem]


@dataclass
class _Waiter(Generic[R]):
    """A call that waits for its job, which is of no use without it: what is sent and read stays in memory.

    `files`: their bytes. `left`: how many pages are to be read.
    """

    on_progress: OnProgress
    files: tuple[bytes, ...]
    left: int
    waited: Waited[R]
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def held_bytes(self) -> int:
        return sum(map(len, self.files))

    def seen(self, number: int, result: R | None, failure: PageFailure | None, problem: Problem | None) -> None:
        if result is not None:
            self.waited.results[number] = result
        if failure is not None:
            self.waited.failures[number] = failure
        if problem is not None:
            self.waited.problems[number] = problem
        self.left -= 1
        if not self.left:
            self.done.set()


class JobQueue(Generic[R]):
    """`async with JobQueue(path, read_page, ...)`. `workers`: pages read at a time.

    `keep_s`: how long a finished job's results are kept.
    """

    def __init__(self, path: Path, read_page: ReadPage[R], *, workers: int = 1, keep_s: float = 3600.0) -> None:
        self.keep_s = keep_s
        self._path = path
        self._read_page = read_page
        self._workers = workers
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jobs")
        self._changed = asyncio.Condition()
        self._more = asyncio.Condition()
        """Told when there is something to claim; `_changed` is for those who follow a job."""
        self._in_flight: dict[tuple[str, int], asyncio.Task[R]] = {}
        self._waiters: dict[str, _Waiter[R]] = {}
        self._endings: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> JobQueue[R]:
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
        await self._set_to_work(files)
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
    ) -> Waited[R]:
        """Submit and wait. `job`: its id.

        It has its turns as any job has; nothing is kept of it. Cancelling gives it up, in the engine too.
        """
        pages = list(enumerate((page for _, _, pages in files for page in pages), 1))
        known: Waited[R] = Waited({}, {number: page.failure for number, page in pages if page.failure}, {})
        waiter = _Waiter(on_progress, tuple(data for _, data, _ in files), len(pages) - len(known.failures), known)
        if not waiter.left:
            return known
        job = job or uuid.uuid4().hex
        without_data: list[NewFile] = [(name, b"", pages) for name, _, pages in files]
        self._waiters[job] = waiter
        try:
            await self._do(lambda: self._store.accept(caller, order, without_data, digest="", job=job, waited=True))
            await self._set_to_work(files)
            await waiter.done.wait()
            return waiter.waited
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

    async def load(self) -> Load:
        """See JobStore.load."""
        return self._with_waited(await self._do(self._store.load))

    async def loads(self, caller: str) -> tuple[Load, Load]:
        """Of all callers, and of one."""
        of_all, own = await self._do(lambda: (self._store.load(), self._store.load(caller)))
        return self._with_waited(of_all), own

    def _with_waited(self, load: Load) -> Load:
        held = sum(waiter.held_bytes for waiter in self._waiters.values())
        return replace(load, held_bytes=load.held_bytes + held)

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
        async with self._more:
            claim = await self._do(self._store.claim)
            if claim is None:
                await self._more.wait()
                return
            waiter = self._waiters.get(claim.job)
            if claim.waited:
                if waiter is None:  # it was given up just now
                    return
                claim = claim.model_copy(update={"data": waiter.files[claim.file]})
            # Before anything else can run: whoever cancels the job from now on finds its page here.
            on_progress = None if waiter is None else waiter.on_progress
            reading = asyncio.create_task(self._read_page(claim, on_progress))
            self._in_flight[claim.job, claim.number] = reading
        await self._see_through(claim, reading, waiter)

    async def _see_through(self, claim: Claim, reading: asyncio.Task[R], waiter: _Waiter[R] | None) -> None:
        started = time.monotonic()
        result, failure, why = None, None, None
        try:
            if waiter is None:
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
            failure, why = PageFailure(code=problem.kind.code, detail=problem.detail), problem
        except Exception:
            log.exception("a page of a job could not be read")
            failure = PageFailure(code=INTERNAL.code, detail="The cause is in the station's log.")
            why = Problem(INTERNAL, failure.detail)
        finally:
            del self._in_flight[claim.job, claim.number]
        if waiter is not None:
            waiter.seen(claim.number, result, failure, why)
            return
        kept = None if result is None else result.model_dump_json()
        elapsed_s = time.monotonic() - started
        await self._do(
            lambda: self._store.finish_page(claim.job, claim.number, result=kept, failure=failure, elapsed_s=elapsed_s)
        )
        await self._tell()

    async def _forget(self) -> None:
        while True:
            await self._do(lambda: self._store.forget(self.keep_s))
            await asyncio.sleep(_FORGET_EVERY_S)

    async def _set_to_work(self, files: Sequence[NewFile]) -> None:
        """As many workers as have something to do: each that looks for a page takes a transaction."""
        async with self._more:
            self._more.notify(sum(len(pages) for _, _, pages in files))

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
