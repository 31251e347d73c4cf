"""`POST /ocr`: a page or a document in, its fields or its text out."""

from __future__ import annotations

import time
from collections.abc import Coroutine, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response, StreamingResponse

from runtime.config import StationConfig
from runtime.documents.selection import chosen_region
from runtime.documents.sheet import Sheet
from runtime.gateway.answers import FULL_MEDIA_TYPE, FullPages, LiteParse, PageText, flat, liteparse
from runtime.gateway.deadlines import Deadline, within
from runtime.gateway.disconnect import while_connected
from runtime.gateway.document_reading import Documents, ReadDocument
from runtime.gateway.engine_client import OnProgress
from runtime.gateway.metrics import Metrics
from runtime.gateway.problem_responses import PROBLEM_SCHEMA
from runtime.gateway.recognition import AUTO, Auto, Recognition, Want
from runtime.gateway.request_log import CLIENT_CLOSED_REQUEST
from runtime.gateway.request_notes import caller_of, notes_of
from runtime.gateway.result_files import written
from runtime.gateway.streaming import MEDIA_TYPE, messages
from runtime.gateway.uploads import read_form
from runtime.outputs.formats import Format
from runtime.outputs.pages import FullPage
from runtime.problems import Problem
from runtime.tasks.task import Language, Task

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: PROBLEM_SCHEMA for status in (400, 413, 415, 421, 422, 429, 500, 501, 503, 504)
}
_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "JPEG, PNG, TIFF, WebP, BMP, GIF, HEIC, PDF or a ZIP of these.",
                        },
                        "language": {
                            "type": "string",
                            "description": "Sent by LiteParse's clients, who are then answered in its shape.",
                        },
                    },
                }
            }
        },
    }
}


def ocr_routes(config: StationConfig, recognition: Recognition, documents: Documents, counted: Metrics) -> APIRouter:
    """The route of `POST /ocr`."""
    router = APIRouter()

    @router.post(
        "/ocr",
        summary="Read a page",
        response_model=dict[str, str] | PageText | FullPage | FullPages | LiteParse,
        responses=PROBLEMS,
        openapi_extra=_UPLOAD,
    )
    async def ocr(
        request: Request,
        detail: Annotated[
            Literal["text", "full"],
            Query(
                description="`full`: lines in reading order, with boxes and scores, fields with theirs, the engine."
            ),
        ] = "text",
        task: Annotated[
            Task | Auto,
            Query(description="What to read. `auto`: the fields of a card, slip or invoice, else the text."),
        ] = AUTO,
        form: Annotated[str, Query(description="The form's name, where it is known.")] = "",
        keys: Annotated[
            list[str] | None, Query(description="The fields wanted: `keys=a&keys=b`, or `keys=a,b`.")
        ] = None,
        to: Annotated[Language, Query(description="Of the task `translate`: the language wanted.")] = "en",
        pages: Annotated[str, Query(description="Of a document: `1-3,7`; `2-` is to the end. All, if not said.")] = "",
        region: Annotated[str, Query(description="Left, top, right, bottom in thousandths of the page.")] = "",
        file_format: Annotated[
            Format, Query(alias="format", description="`json` as `detail` says, or a file: text, pdf, xlsx, ...")
        ] = Format.JSON,
        stream: Annotated[
            bool,
            Query(
                description="Answer line by line (NDJSON): progress and text of one page as it is read, its result."
            ),
        ] = False,
        deadline: Deadline = None,
    ) -> Response:
        want = Want(task=task, form=form, keys=split_keys(keys), to=to)
        documents.check(want)
        sent = await read_form(request, config.limits.upload_bytes)
        part = chosen_region(region)
        file, caller, notes = sent.files[0], caller_of(request.scope), notes_of(request.scope)
        notes.task = want.task
        started = time.monotonic()
        outcome = "interrupted"

        def ended(read: Sequence[FullPage], ending: str) -> None:
            notes.pages, notes.engine = len(read), read[0].engine.name if read else ""
            counted.request(task, ending, time.monotonic() - started, notes.engine)

        if stream:

            def streamed(page: FullPage | None, ending: str) -> None:
                ended([] if page is None else [page], ending)
                notes.code = "" if page else ending

            def read_first(report: OnProgress) -> Coroutine[None, None, FullPage]:
                return within(deadline, documents.first(file, want, pages, part, caller, report))

            return StreamingResponse(messages(read_first, streamed), media_type=MEDIA_TYPE)
        document = ReadDocument(FullPages(pages=[]), ())
        try:
            reading = documents.all(file, want, pages, part, caller)
            document = await while_connected(request, within(deadline, reading))
            outcome = "read"
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except Problem as problem:
            outcome = problem.kind.code
            raise
        finally:
            ended(document.answer.pages, outcome)
        read = document.answer
        if file_format is not Format.JSON:

            async def sheet_of(index: int) -> Sheet | None:
                return Sheet(file.data, document.places[index], part)

            return await written(file_format, read.pages, sheet_of, recognition.cage, config.version)
        wants_media_type = FULL_MEDIA_TYPE in request.headers.get("accept", "")
        if detail == "full" or wants_media_type:
            media_type = FULL_MEDIA_TYPE if wants_media_type else "application/json"
            return Response((read.pages[0] if read.was_alone else read).model_dump_json(), media_type=media_type)
        if "language" in sent.fields:
            return Response(liteparse(read.pages).model_dump_json(), media_type="application/json")
        return JSONResponse(flat(read.pages, want.keys))

    return router


def split_keys(keys: list[str] | None) -> tuple[str, ...]:
    """`keys=a&keys=b` and `keys=a,b` alike, each once."""
    parts = (part.strip() for each in keys or () for part in each.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))
