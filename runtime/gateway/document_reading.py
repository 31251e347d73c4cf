"""The synchronous calls: a document is submitted to the queue of all jobs and waited for."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.documents.parts import Region
from runtime.gateway.answers import FullPages
from runtime.gateway.engine_client import OnProgress, unheard
from runtime.gateway.job_service import JobService, Reading, Upload
from runtime.gateway.recognition import Recognition, Want
from runtime.jobs.records import Order
from runtime.outputs.pages import FullPage
from runtime.problems import ENGINE_FAILED, Problem


@dataclass(frozen=True)
class ReadDocument:
    """`places`: of each page read, its place in the document, from 0."""

    answer: FullPages
    places: tuple[int, ...]


class Documents:
    """Reads what `POST /ocr` and OpenAI's clients send."""

    def __init__(self, recognition: Recognition, jobs: JobService) -> None:
        self._recognition = recognition
        self._jobs = jobs

    def check(self, want: Want) -> None:
        """See Recognition.check."""
        self._recognition.check(want)

    async def first(
        self, upload: Upload, want: Want, pages: str, region: Region | None, caller: str, on_progress: OnProgress
    ) -> FullPage:
        """The first of the pages chosen. Cancelling gives it up. Raises Problem."""
        read = await self._jobs.read(
            upload, _order(want, region), pages=pages, first_only=True, caller=caller, on_progress=on_progress
        )
        return _pages_read(read)[0][1]

    async def all(self, upload: Upload, want: Want, pages: str, region: Region | None, caller: str) -> ReadDocument:
        """All pages chosen, in order. Cancelling gives them up. Raises Problem; if no page could be read, its own."""
        read = await self._jobs.read(
            upload, _order(want, region), pages=pages, first_only=False, caller=caller, on_progress=unheard
        )
        found = _pages_read(read)
        failures = [failure for _, failure in sorted(read.waited.failures.items())]
        answer = FullPages(pages=[page for _, page in found], failures=failures)
        return ReadDocument(answer, tuple(read.places[number - 1] for number, _ in found))


def _order(want: Want, region: Region | None) -> Order:
    return Order(task=want.task, form=want.form, keys=want.keys, to=want.to, region=region)


def _pages_read(read: Reading) -> list[tuple[int, FullPage]]:
    """With their numbers. Raises the first page's Problem where none was read."""
    found = sorted(read.waited.results.items())
    if not found:
        problems = sorted(read.waited.problems.items())
        raise problems[0][1] if problems else Problem(ENGINE_FAILED, "Its job was given up.")
    return found
