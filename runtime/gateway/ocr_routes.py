"""`POST /ocr`: a page or a document in, its fields or its text out."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response, StreamingResponse

from runtime.config import StationConfig
from runtime.documents.selection import chosen_region
from runtime.documents.sheet import Sheet
from runtime.gateway.answers import FULL_MEDIA_TYPE, FullPages, LiteParse, PageText, flat, liteparse
from runtime.gateway.disconnect import while_connected
from runtime.gateway.document_reading import Documents, ReadDocument
from runtime.gateway.metrics import Metrics
from runtime.gateway.problem_responses import PROBLEM_SCHEMA
from runtime.gateway.recognition import AUTO, Auto, Recognition, Want
from runtime.gateway.result_files import written
from runtime.gateway.streaming import MEDIA_TYPE, messages
from runtime.gateway.uploads import read_form
from runtime.outputs.formats import Format
from runtime.outputs.pages import FullPage
from runtime.problems import Problem
from runtime.results import PageResult
from runtime.tasks.task import Language, Task

CLIENT_CLOSED_REQUEST = 499
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: PROBLEM_SCHEMA for status in (400, 413, 415, 421, 422, 500, 501, 503, 504)
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
    ) -> Response:
        want = Want(task=task, form=form, keys=split_keys(keys), to=to)
        recognition.check(want)
        sent = await read_form(request, config.limits.upload_bytes)
        part = chosen_region(region)
        started = time.monotonic()
        outcome = "interrupted"

        def counted_read(result: PageResult | None, ending: str) -> None:
            engine = "" if result is None else result.engine.name
            counted.request(task, ending, time.monotonic() - started, engine)
            if result is not None:
                counted.read(result)

        data = sent.files[0].data
        if stream:
            lines = messages(lambda report: documents.first(data, want, pages, part, report), counted_read)
            return StreamingResponse(lines, media_type=MEDIA_TYPE)
        document = ReadDocument(FullPages(pages=[]), ())
        try:
            document = await while_connected(
                request, documents.all(sent.files[0], want, pages, part, _caller(request))
            )
            outcome = "read"
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except Problem as problem:
            outcome = problem.kind.code
            raise
        finally:
            counted_read(document.answer.pages[0] if document.answer.was_alone else None, outcome)
        read = document.answer
        if file_format is not Format.JSON:

            async def sheet_of(index: int) -> Sheet | None:
                return Sheet(data, document.places[index], part)

            return await written(file_format, read.pages, sheet_of, recognition.cage, config.version)
        wants_media_type = FULL_MEDIA_TYPE in request.headers.get("accept", "")
        if detail == "full" or wants_media_type:
            media_type = FULL_MEDIA_TYPE if wants_media_type else "application/json"
            return Response((read.pages[0] if read.was_alone else read).model_dump_json(), media_type=media_type)
        if "language" in sent.fields:
            return Response(liteparse(read.pages).model_dump_json(), media_type="application/json")
        return JSONResponse(flat(read.pages, want.keys))

    return router


def _caller(request: Request) -> str:
    return request.client.host if request.client else ""


def split_keys(keys: list[str] | None) -> tuple[str, ...]:
    """`keys=a&keys=b` and `keys=a,b` alike, each once."""
    parts = (part.strip() for each in keys or () for part in each.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))
