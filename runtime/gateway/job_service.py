"""Jobs as the interface sees them: files in, pages chosen, results out in order."""

from __future__ import annotations

import asyncio
import hashlib
import math
import shutil
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.config import StationConfig
from runtime.documents.cage import Opening
from runtime.documents.parts import Description
from runtime.documents.selection import chosen_pages
from runtime.documents.sheet import Sheet
from runtime.gateway.answers import full
from runtime.gateway.engine_client import OnProgress, unheard
from runtime.gateway.reader import Reader
from runtime.gateway.recognition import Recognition, Want
from runtime.gateway.refusals import KEY_REUSED, NO_JOB
from runtime.jobs.queue import JobQueue, Waited
from runtime.jobs.records import Claim, JobStatus, Order, PageFailure
from runtime.jobs.store import KeyReused, Load, NewFile, NewPage
from runtime.outputs.pages import FullPage
from runtime.problems import QUEUE_FULL, Problem
from runtime.results import PageResult, Progress
from runtime.tasks.task import Task

_RETRY_AFTER_S = 10
_LONGEST_RETRY_S = 600
_ONE_CALLERS_SHARE = 0.75


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Reading:
    """A document that was waited for. `places`: of each page, by number, its place in the document, from 0."""

    waited: Waited[FullPage]
    places: tuple[int, ...]


class JobService:
    """Started when first used, or by the application's start, so that jobs left behind are taken up again.

    `on_read` is told of every page that was read; `seconds_a_page` tells what pages took so far.
    """

    def __init__(
        self,
        config: StationConfig,
        reader: Reader,
        recognition: Recognition,
        on_read: Callable[[PageResult], None],
        seconds_a_page: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._config = config
        self._reader = reader
        self._recognition = recognition
        self.cage = recognition.cage
        self._on_read = on_read
        self._seconds_a_page = seconds_a_page
        self._starting = asyncio.Lock()
        self._queue: JobQueue[FullPage] | None = None
        self._temporary: Path | None = None
        self._openings: dict[str, Opening] = {}
        """By job: its one page, opened before it is claimed."""

    async def queue(self) -> JobQueue[FullPage]:
        """The running queue. Raises OSError if its folder cannot be written."""
        async with self._starting:
            if self._queue is None:
                folder = self._config.jobs.folder
                if folder is None:
                    folder = self._temporary = Path(tempfile.mkdtemp(prefix="inkstick-jobs-"))
                workers = self._reader.most_in_hand
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

    async def load(self) -> Load:
        """What waits and is kept; nothing where no page was ever sent."""
        return Load() if self._queue is None else await self._queue.load()

    async def submit(
        self,
        uploads: Sequence[Upload],
        order: Order,
        *,
        pages: str = "",
        caller: str = "",
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> tuple[str, bool]:
        """Accept a job; its id, and whether it is new. `pages`: of every file, as `chosen_pages` takes them.
        `timeout_s`: pages that are not read by then fail.

        A file that cannot be opened is a failed page among others; alone, it is refused. Raises Problem:
        the documents' kinds, those of `Recognition.check`, TASK_NOT_AVAILABLE, QUEUE_FULL, KEY_REUSED.
        """
        self._check(order)
        files: list[NewFile] = []
        for upload in uploads:
            files.append((upload.name, upload.data, await self._pages_of(upload, pages, alone=len(uploads) == 1)))
        queue = await self.queue()
        await self._check_room(queue, files, caller)
        digest = _digest(uploads, order, pages)
        try:
            return await queue.accept(
                caller, order, files, digest=digest, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        except KeyReused:
            raise Problem(KEY_REUSED, "Take a new key for a new request.") from None

    async def read(
        self, upload: Upload, order: Order, *, pages: str, first_only: bool, caller: str, on_progress: OnProgress
    ) -> Reading:
        """Submit one document and wait for it, with the same turns and limits as any job. `first_only`: of the
        pages chosen. Cancelling gives it up. Raises Problem as `submit` does.
        """
        self._check(order)
        queue = await self.queue()
        opening: Opening | None = None
        if queue.idle:  # then its page is opened before its turn is there, while the queue takes it in
            described, opening = await self.cage.open(upload.data, order.region)
        else:
            described = await self.describe(upload.data)
        chosen = _chosen(described, pages)
        if first_only:
            chosen = chosen[:1]
        files: list[NewFile] = [(upload.name, upload.data, chosen)]
        await self._check_room(queue, files, caller)
        on_progress(Progress(stage="queued"))

        def since_claimed(progress: Progress) -> None:
            if progress.stage != "queued":  # the reader's own queue is the kiosk's and the workers'
                on_progress(progress)

        told = on_progress if on_progress is unheard else since_claimed

        job = uuid.uuid4().hex
        if opening is not None:
            self._openings[job] = opening
        try:
            waited = await queue.read(caller, order, files, told, job=job)
        finally:
            self._openings.pop(job, None)
        return Reading(waited, tuple(page.place for page in chosen))

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
            return _chosen(await self.describe(upload.data), pages)
        except Problem as problem:
            if alone:
                raise
            return [NewPage(0, 0, failure=PageFailure(code=problem.kind.code, detail=problem.detail))]

    async def _check_room(self, queue: JobQueue[FullPage], files: Sequence[NewFile], caller: str) -> None:
        """A document larger than a limit is let in when nothing else waits, and a part of every limit is kept
        for callers of whom less is waiting. Raises Problem(QUEUE_FULL).
        """
        load, own = await queue.loads(caller)
        limits = self._config.limits
        new_bytes = sum(len(data) for _, data, _ in files)
        new_pixels = sum(page.pixels for _, _, pages in files for page in pages)
        if load.held_bytes + new_bytes > limits.queue_bytes:
            await queue.make_room(load.held_bytes + new_bytes - limits.queue_bytes)
            load = await queue.load()
        if (
            load.jobs >= limits.queue_jobs
            or load.pages >= limits.queue_pages
            or (load.pixels and load.pixels + new_pixels > limits.queue_pixels)
            or (load.held_bytes and load.held_bytes + new_bytes > limits.queue_bytes)
        ):
            raise Problem(QUEUE_FULL, f"{load.pages} pages are waiting. Send this later.", self._retry_after_s(load))
        if (
            own.jobs >= _share(limits.queue_jobs)
            or own.pages >= _share(limits.queue_pages)
            or (own.pixels and own.pixels + new_pixels > _share(limits.queue_pixels))
        ):
            told = f"{own.pages} pages of yours are waiting, which is one caller's share. Send this later."
            raise Problem(QUEUE_FULL, told, self._retry_after_s(own))

    def _retry_after_s(self, load: Load) -> int:
        """Until a good part of what waits will be read, by what pages took so far."""
        each = self._seconds_a_page()
        if each is None:
            return _RETRY_AFTER_S
        parallel = max(engine.parallel for engine in self._reader.engines)
        return min(_LONGEST_RETRY_S, max(1, round(load.pages * each / parallel / 4)))

    def _check(self, order: Order) -> None:
        want = want_of(order)
        self._recognition.check(want)
        if isinstance(want.task, Task) and not want.is_for_fields:
            self._reader.refuse_if_none_can(want.task)

    async def _read_page(self, claim: Claim, on_progress: OnProgress | None) -> FullPage:
        sheet = Sheet(claim.data, claim.page, claim.order.region, opening=self._openings.get(claim.job))
        recognised = await self._recognition.read(sheet, want_of(claim.order), on_progress=on_progress)
        self._on_read(recognised.page)
        return full(recognised)


def _share(limit: int) -> int:
    """What one caller may fill of a limit, so that nobody finds the station full of somebody else's pages."""
    return math.ceil(_ONE_CALLERS_SHARE * limit)


def _chosen(described: Description, pages: str) -> list[NewPage]:
    """Raises Problem as `chosen_pages` does."""
    found = [
        NewPage(place, page.number, page.source, pixels=page.pixels)
        for place, page in ((place, described.pages[place]) for place in chosen_pages(pages, len(described.pages)))
    ]
    strays = [
        NewPage(0, 0, name, PageFailure(code=code, detail="This file of the archive was left out."))
        for name, code in described.skipped
    ]
    return [*found, *strays]


def want_of(order: Order) -> Want:
    return Want(task=order.task, form=order.form, keys=order.keys, to=order.to)


def _digest(uploads: Sequence[Upload], order: Order, pages: str) -> str:
    """Of everything that decides the job: equal digests, equal requests."""
    digest = hashlib.sha256(f"{order.model_dump_json()}\0{pages}".encode())
    for upload in uploads:
        digest.update(f"\0{upload.name}\0{len(upload.data)}\0".encode())
        digest.update(upload.data)
    return digest.hexdigest()
