"""Works through the jobs' pages, and tells whoever listens how far they are."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from runtime.jobs.records import Claim, JobStatus, Order, PageFailure, PageOutcome
from runtime.jobs.store import JobStore, NewFile
from runtime.problems import ENGINE_UNAVAILABLE, INTERNAL, QUEUE_FULL, Problem

log = logging.getLogger(__name__)

T = TypeVar("T")
ReadPage = Callable[[Claim], Coroutine[None, None, str]]
"""Reads a claimed page; gives its result as JSON. Raises Problem."""

_NOT_THE_PAGES_FAULT = (ENGINE_UNAVAILABLE, QUEUE_FULL)
_PAUSE_S = 2.0
_FORGET_EVERY_S = 60.0


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

    async def __aenter__(self) -> JobQueue:
        loop = asyncio.get_running_loop()
        self._store = await loop.run_in_executor(self._thread, JobStore, self._path)
        self._stack = AsyncExitStack()
        for _ in range(self._workers):
            await self._stack.enter_async_context(_running(self._work()))
        await self._stack.enter_async_context(_running(self._forget()))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        await self._do(self._store.close)
        self._thread.shutdown()

    async def accept(
        self, caller: str, order: Order, files: Sequence[NewFile], *, digest: str, idempotency_key: str | None = None
    ) -> tuple[str, bool]:
        """Keep a job: once this returns, it will be read. Its id, and whether it is new. Raises KeyReused."""
        accepted = await self._do(
            lambda: self._store.accept(caller, order, files, digest=digest, idempotency_key=idempotency_key)
        )
        await self._tell()
        return accepted

    async def status(self, job: str) -> JobStatus | None:
        return await self._do(lambda: self._store.status(job, self.keep_s))

    async def outcomes(self, job: str) -> list[PageOutcome]:
        return await self._do(lambda: self._store.outcomes(job))

    async def order(self, job: str) -> Order | None:
        return await self._do(lambda: self._store.order(job))

    async def sheet(self, job: str, number: int) -> tuple[bytes, int] | None:
        """See JobStore.sheet."""
        return await self._do(lambda: self._store.sheet(job, number))

    async def load(self) -> tuple[int, int]:
        """Pages waiting, and bytes of all files kept."""
        return await self._do(lambda: (self._store.pages_waiting(), self._store.held_bytes()))

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
        for (owner, _), reading in list(self._in_flight.items()):
            if owner == job:
                reading.cancel()
        await self._tell()

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
            async with self._changed:
                claim = await self._do(self._store.claim)
                if claim is None:
                    await self._changed.wait()
                    continue
            await self._tell()
            await self._read(claim)

    async def _read(self, claim: Claim) -> None:
        started = time.monotonic()
        reading = asyncio.create_task(self._read_page(claim))
        self._in_flight[claim.job, claim.number] = reading
        result, failure = None, None
        try:
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
            if problem.kind in _NOT_THE_PAGES_FAULT:
                await self._do(lambda: self._store.put_back(claim.job, claim.number))
                await asyncio.sleep(_PAUSE_S)
                return
            failure = PageFailure(code=problem.kind.code, detail=problem.detail)
        except Exception:
            log.exception("a page of a job could not be read")
            failure = PageFailure(code=INTERNAL.code, detail="The cause is in the station's log.")
        finally:
            del self._in_flight[claim.job, claim.number]
        elapsed_s = time.monotonic() - started
        await self._do(
            lambda: self._store.finish_page(
                claim.job, claim.number, result=result, failure=failure, elapsed_s=elapsed_s
            )
        )
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


@asynccontextmanager
async def _running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
