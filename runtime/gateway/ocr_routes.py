"""`POST /ocr`: one page in, its fields or its text out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response, StreamingResponse

from runtime.config import StationConfig
from runtime.gateway.answers import FULL_MEDIA_TYPE, FullPage, LiteParse, PageText, flat, full, liteparse
from runtime.gateway.disconnect import while_connected
from runtime.gateway.metrics import Metrics
from runtime.gateway.problem_responses import PROBLEM_SCHEMA
from runtime.gateway.recognition import AUTO, Auto, Recognised, Recognition, Want
from runtime.gateway.streaming import MEDIA_TYPE, messages
from runtime.problems import FILE_TOO_LARGE, MISSING_FILE, Problem
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
                            "description": "JPEG, PNG, TIFF, WebP or BMP; of several pages, the first is read.",
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


@dataclass(frozen=True)
class _Upload:
    data: bytes
    language: str | None


def ocr_routes(config: StationConfig, recognition: Recognition, counted: Metrics) -> APIRouter:
    """The route of `POST /ocr`."""
    router = APIRouter()

    @router.post(
        "/ocr",
        summary="Read a page",
        response_model=dict[str, str] | PageText | FullPage | LiteParse,
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
        stream: Annotated[
            bool, Query(description="Answer line by line (NDJSON): progress and text as it is read, then the result.")
        ] = False,
    ) -> Response:
        want = Want(task=task, form=form, keys=_split(keys), to=to)
        recognition.check(want)
        # The form is read here, not by a parameter: FastAPI would turn the upload limit into its own 400.
        sent = await _uploaded(request, config.limits.upload_bytes)
        started = time.monotonic()
        outcome = "interrupted"

        def counted_read(result: PageResult | None, ending: str) -> None:
            counted.duration_s.labels(ending).observe(time.monotonic() - started)
            if result is not None:
                counted.read(result)

        if stream:
            lines = messages(lambda report: recognition.read(sent.data, want, on_progress=report), counted_read)
            return StreamingResponse(lines, media_type=MEDIA_TYPE)
        recognised: Recognised | None = None
        try:
            recognised = await while_connected(request, recognition.read(sent.data, want))
            outcome = "read"
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except Problem as problem:
            outcome = problem.kind.code
            raise
        finally:
            counted_read(None if recognised is None else recognised.page, outcome)
        wants_media_type = FULL_MEDIA_TYPE in request.headers.get("accept", "")
        if detail == "full" or wants_media_type:
            media_type = FULL_MEDIA_TYPE if wants_media_type else "application/json"
            return Response(full(recognised).model_dump_json(), media_type=media_type)
        if sent.language is not None:
            return Response(liteparse(recognised).model_dump_json(), media_type="application/json")
        return JSONResponse(flat(recognised))

    return router


def _split(keys: list[str] | None) -> tuple[str, ...]:
    parts = (part.strip() for each in keys or () for part in each.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


async def _uploaded(request: Request, limit_bytes: int) -> _Upload:
    async with request.form(max_files=1, max_fields=8) as form:
        sent, language = form.get("file"), form.get("language")
        if not isinstance(sent, UploadFile):
            raise Problem(MISSING_FILE, "Send a multipart form whose part `file` is the image.")
        if sent.size is not None and sent.size > limit_bytes:
            raise Problem(FILE_TOO_LARGE, f"The limit is {limit_bytes} bytes.")
        return _Upload(await sent.read(), language if isinstance(language, str) else None)
