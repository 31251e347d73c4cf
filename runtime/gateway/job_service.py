"""Jobs as the interface sees them: files in, pages chosen, results out in order."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.config import StationConfig
from runtime.documents.parts import Description
from runtime.documents.selection import chosen_pages
from runtime.documents.sheet import Sheet
from runtime.gateway.answers import full
from runtime.gateway.reader import Reader
from runtime.gateway.recognition import Recognition, Want
from runtime.gateway.refusals import KEY_REUSED, NO_JOB
from runtime.jobs.queue import JobQueue
from runtime.jobs.records import Claim, JobStatus, Order, PageFailure
from runtime.jobs.store import KeyReused, NewFile, NewPage
from runtime.problems import QUEUE_FULL, Problem
from runtime.results import PageResult

_RETRY_AFTER_S = 10


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    data: bytes


class JobService:
    """Started when first used, or by the application's start, so that jobs left behind are taken up again.

    `on_read` is told of every page that was read.
    """

    def __init__(
        self,
        config: StationConfig,
        reader: Reader,
        recognition: Recognition,
        on_read: Callable[[PageResult], None],
    ) -> None:
        self._config = config
        self._reader = reader
        self._recognition = recognition
        self.cage = recognition.cage
        self._on_read = on_read
        self._starting = asyncio.Lock()
        self._queue: JobQueue | None = None
        self._temporary: Path | None = None

    async def queue(self) -> JobQueue:
        """The running queue. Raises OSError if its folder cannot be written."""
        async with self._starting:
            if self._queue is None:
                folder = self._config.jobs.folder
                if folder is None:
                    folder = self._temporary = Path(tempfile.mkdtemp(prefix="inkstick-jobs-"))
                workers = max(engine.parallel for engine in self._reader.engines)
                queue = JobQueue(
                    folder / "jobs.sqlite3", self._read_page, workers=workers, keep_s=self._config.jobs.keep_s
                )
                self._queue = await queue.__aenter__()
            return self._queue

    async def close(self) -> None:
        """Pages being read are put back; nothing else is lost."""
        queue, self._queue = self._queue, None
        if queue is not None:
            await queue.__aexit__()
        if self._temporary is not None:
            await asyncio.to_thread(shutil.rmtree, self._temporary, ignore_errors=True)

    async def load(self) -> tuple[int, int]:
        """Pages of jobs that wait, and bytes of all files kept; nothing where no job was ever sent."""
        return (0, 0) if self._queue is None else await self._queue.load()

    async def submit(
        self,
        uploads: Sequence[Upload],
        order: Order,
        *,
        pages: str = "",
        caller: str = "",
        idempotency_key: str | None = None,
    ) -> tuple[str, bool]:
        """Accept a job; its id, and whether it is new. `pages`: of every file, as `chosen_pages` takes them.

        A file that cannot be opened is a failed page among others; alone, it is refused. Raises Problem:
        the documents' kinds, those of `Recognition.check`, QUEUE_FULL, KEY_REUSED.
        """
        self._recognition.check(want_of(order))
        files: list[NewFile] = []
        for upload in uploads:
            files.append((upload.name, upload.data, await self._pages_of(upload, pages, alone=len(uploads) == 1)))
        queue = await self.queue()
        await self._check_room(queue, files)
        try:
            return await queue.accept(
                caller, order, files, digest=_digest(uploads, order, pages), idempotency_key=idempotency_key
            )
        except KeyReused:
            raise Problem(KEY_REUSED, "Take a new key for a new request.") from None

    async def status(self, job: str) -> JobStatus:
        """Raises Problem(NO_JOB)."""
        status = await (await self.queue()).status(job)
        if status is None:
            raise Problem(NO_JOB, "Results are kept for a stated time after the job's end.")
        return status

    async def describe(self, data: bytes) -> Description:
        """What pages a file has. Raises Problem."""
        return await self._recognition.cage.describe(data)

    async def _pages_of(self, upload: Upload, pages: str, *, alone: bool) -> list[NewPage]:
        try:
            described = await self.describe(upload.data)
            chosen = chosen_pages(pages, len(described.pages))
        except Problem as problem:
            if alone:
                raise
            return [NewPage(0, 0, failure=PageFailure(code=problem.kind.code, detail=problem.detail))]
        found = [NewPage(place, described.pages[place].number, described.pages[place].source) for place in chosen]
        strays = [
            NewPage(0, 0, name, PageFailure(code=code, detail="This file of the archive was left out."))
            for name, code in described.skipped
        ]
        return [*found, *strays]

    async def _check_room(self, queue: JobQueue, files: Sequence[NewFile]) -> None:
        waiting, held = await queue.load()
        limits = self._config.limits
        new_bytes = sum(len(data) for _, data, _ in files)
        if held + new_bytes > limits.queue_bytes:
            await queue.make_room(held + new_bytes - limits.queue_bytes)
            waiting, held = await queue.load()
        if waiting >= limits.queue_pages or (held and held + new_bytes > limits.queue_bytes):
            raise Problem(QUEUE_FULL, f"{waiting} pages are waiting. Send this later.", _RETRY_AFTER_S)

    async def _read_page(self, claim: Claim) -> str:
        sheet = Sheet(claim.data, claim.page, claim.order.region)
        recognised = await self._recognition.read(sheet, want_of(claim.order))
        self._on_read(recognised.page)
        return full(recognised).model_dump_json()


def want_of(order: Order) -> Want:
    return Want(task=order.task, form=order.form, keys=order.keys, to=order.to)


def _digest(uploads: Sequence[Upload], order: Order, pages: str) -> str:
    """Of everything that decides the job: equal digests, equal requests."""
    digest = hashlib.sha256(f"{order.model_dump_json()}\0{pages}".encode())
    for upload in uploads:
        digest.update(f"\0{upload.name}\0{len(upload.data)}\0".encode())
        digest.update(upload.data)
    return digest.hexdigest()
