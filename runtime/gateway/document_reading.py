"""The synchronous call: one page at once, several as a job that is submitted and waited for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from runtime.documents.parts import Region
from runtime.documents.refusals import KINDS
from runtime.documents.selection import chosen_pages
from runtime.documents.sheet import Sheet
from runtime.gateway.answers import FullPages, full
from runtime.gateway.engine_client import OnProgress
from runtime.gateway.job_service import JobService, Upload
from runtime.gateway.recognition import Recognised, Recognition, Want
from runtime.jobs.records import Order, PageFailure
from runtime.outputs.pages import FullPage
from runtime.problems import ENGINE_FAILED, ENGINE_TIMEOUT, PAGE_SET_ASIDE, Problem


@dataclass(frozen=True)
class ReadDocument:
    """`places`: of each page read, its place in the document, from 0."""

    answer: FullPages
    places: tuple[int, ...]


class Documents:
    """Reads what `POST /ocr` is sent."""

    def __init__(self, recognition: Recognition, jobs: JobService) -> None:
        self._recognition = recognition
        self._jobs = jobs

    async def first(
        self, data: bytes, want: Want, pages: str, region: Region | None, on_progress: OnProgress
    ) -> Recognised:
        """The first of the pages chosen. Raises Problem."""
        (place, *_), _ = await self._chosen(data, pages)
        return await self._recognition.read(Sheet(data, place, region), want, on_progress=on_progress)

    async def all(self, upload: Upload, want: Want, pages: str, region: Region | None, caller: str) -> ReadDocument:
        """All pages chosen, in order. Cancelling gives them up. Raises Problem; if no page could be read, its own."""
        chosen, strays = await self._chosen(upload.data, pages)
        if len(chosen) == 1 and not strays:
            recognised = await self._recognition.read(Sheet(upload.data, chosen[0], region), want)
            return ReadDocument(FullPages(pages=[full(recognised)]), (chosen[0],))
        order = Order(task=want.task, form=want.form, keys=want.keys, to=want.to, region=region)
        job, _ = await self._jobs.submit([upload], order, pages=pages, caller=caller)
        queue = await self._jobs.queue()
        try:
            await queue.finished(job)
        except asyncio.CancelledError:
            await asyncio.shield(queue.cancel(job))
            raise
        outcomes = await queue.outcomes(job)
        await queue.remove(job)  # nobody else knows of it
        read = [FullPage.model_validate_json(outcome.result) for outcome in outcomes if outcome.result]
        failures = [outcome.failure for outcome in outcomes if outcome.failure]
        if not read:
            raise _problem(failures)
        # Pages are numbered as they were chosen; files that were left out come after them.
        places = tuple(chosen[outcome.number - 1] for outcome in outcomes if outcome.result)
        return ReadDocument(FullPages(pages=read, failures=failures), places)

    async def _chosen(self, data: bytes, pages: str) -> tuple[list[int], bool]:
        described = await self._recognition.cage.describe(data)
        return chosen_pages(pages, len(described.pages)), bool(described.skipped)


def _problem(failures: list[PageFailure]) -> Problem:
    if not failures:
        return Problem(ENGINE_FAILED, "Its job was given up.")
    known = {**KINDS, PAGE_SET_ASIDE.code: PAGE_SET_ASIDE, ENGINE_TIMEOUT.code: ENGINE_TIMEOUT}
    return Problem(known.get(failures[0].code, ENGINE_FAILED), failures[0].detail)
