"""`/v1/jobs`: documents and batches, read in the background; accepted ones survive the gateway's death."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response, StreamingResponse

from runtime.config import StationConfig
from runtime.documents.selection import chosen_region
from runtime.documents.sheet import Sheet
from runtime.gateway.deadlines import Deadline
from runtime.gateway.job_service import JobService
from runtime.gateway.ocr_routes import PROBLEMS, split_keys
from runtime.gateway.problem_responses import PROBLEM_SCHEMA
from runtime.gateway.recognition import AUTO, Auto
from runtime.gateway.refusals import JOB_UNFINISHED
from runtime.gateway.request_notes import caller_of, notes_of
from runtime.gateway.result_files import written
from runtime.gateway.uploads import read_form
from runtime.jobs.records import JobStatus, Order, PageFailure
from runtime.outputs.formats import Format
from runtime.outputs.pages import FullPage
from runtime.problems import Problem
from runtime.tasks.task import Language, Task

_MOST_FILES = 500
_FILES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "One part for each file: images, PDF, multi-page TIFF, HEIC, ZIP of these.",
                        }
                    },
                }
            }
        },
    }
}
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: PROBLEM_SCHEMA}


class Job(JobStatus):
    """`status_url` and its neighbours are paths on this station."""

    status_url: str
    result_url: str
    events_url: str


class JobPage(BaseModel):
    """A page's full result, or why there is none. `page` is 0 for a file that could not be opened."""

    number: int
    file: str
    source: str
    page: int
    result: FullPage | None = None
    failure: PageFailure | None = None


class JobResult(BaseModel):
    """All pages, in order."""

    id: str
    state: str
    pages: list[JobPage]


def job_routes(config: StationConfig, service: JobService) -> APIRouter:
    """The routes of `/v1/jobs`."""
    router = APIRouter(prefix="/v1/jobs", tags=["Jobs"])

    @router.post(
        "",
        summary="Have documents read in the background",
        status_code=202,
        response_model=Job,
        responses=PROBLEMS,
        openapi_extra=_FILES,
    )
    async def submit(
        request: Request,
        task: Annotated[Task | Auto, Query(description="As of `POST /ocr`, for every page.")] = AUTO,
        form: Annotated[str, Query(description="The form's name, where it is known.")] = "",
        keys: Annotated[list[str] | None, Query(description="The fields wanted.")] = None,
        to: Annotated[Language, Query(description="Of the task `translate`.")] = "en",
        pages: Annotated[str, Query(description="Of every file: `1-3,7`; `2-` is to the end.")] = "",
        region: Annotated[str, Query(description="Left, top, right, bottom in thousandths of each page.")] = "",
        idempotency_key: Annotated[
            str | None, Header(max_length=255, description="The same key and request: the same job, not a second one.")
        ] = None,
        deadline: Deadline = None,
    ) -> Response:
        order = Order(task=task, form=form, keys=split_keys(keys), to=to, region=chosen_region(region))
        sent = await read_form(request, config.limits.upload_bytes, most_files=_MOST_FILES)
        job, _ = await service.submit(
            sent.files,
            order,
            pages=pages,
            caller=caller_of(request.scope),
            idempotency_key=idempotency_key,
            timeout_s=deadline,
        )
        told = _told(await service.status(job))
        notes = notes_of(request.scope)
        notes.task, notes.pages = order.task, told.pages
        return JSONResponse(told.model_dump(), 202, headers={"location": told.status_url})

    @router.get("/{job}", summary="How far a job is", response_model=Job, responses=_UNKNOWN)
    async def status(job: str) -> Job:
        return _told(await service.status(job))

    @router.get(
        "/{job}/result",
        summary="What was read",
        response_model=JobResult,
        responses={**_UNKNOWN, 409: PROBLEM_SCHEMA},
    )
    async def result(
        job: str,
        form: Annotated[Format, Query(alias="format", description="`json`, or a file of all pages.")] = Format.JSON,
    ) -> Response:
        state = await service.status(job)
        if not state.is_final:
            raise Problem(JOB_UNFINISHED, "Ask for its status, or listen to its events.", retry_after_s=1)
        queue = await service.queue()
        outcomes = await queue.outcomes(job)
        if form is not Format.JSON:
            read = [outcome for outcome in outcomes if outcome.result]
            order = await queue.order(job)

            async def sheet_of(index: int) -> Sheet | None:
                kept = await queue.sheet(job, read[index].number)
                return None if kept is None else Sheet(*kept, region=order.region if order else None)

            found = [FullPage.model_validate_json(outcome.result or "") for outcome in read]
            return await written(form, found, sheet_of, service.cage, config.version)
        parts = [_page_json(outcome.model_dump(exclude={"result"}), outcome.result) for outcome in outcomes]
        head = f'{{"id":"{state.id}","state":"{state.state}","pages":['
        return Response(head + ",".join(parts) + "]}", media_type="application/json")

    @router.get("/{job}/events", summary="Progress as server-sent events", responses=_UNKNOWN)
    async def events(job: str) -> Response:
        await service.status(job)
        queue = await service.queue()

        async def stream() -> AsyncIterator[str]:
            async for status in queue.changes(job):
                kind = "end" if status.is_final else "progress"
                yield f"event: {kind}\ndata: {_told(status).model_dump_json()}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"cache-control": "no-store"})

    @router.delete("/{job}", summary="Give a job up", response_model=Job, responses=_UNKNOWN)
    async def cancel(job: str) -> Job:
        await service.status(job)
        await (await service.queue()).cancel(job)
        return _told(await service.status(job))

    return router


def _told(status: JobStatus) -> Job:
    address = f"/v1/jobs/{status.id}"
    return Job(
        **status.model_dump(), status_url=address, result_url=f"{address}/result", events_url=f"{address}/events"
    )


def _page_json(outcome: dict[str, Any], result: str | None) -> str:
    """The result is JSON already, and large: it is put in as it is."""
    outline = JobPage(**outcome).model_dump_json(exclude={"result"})
    return f'{outline[:-1]},"result":{result or "null"}}}'
