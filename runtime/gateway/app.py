"""The REST interface: `POST /ocr`, health, metrics, and its own documentation without a network."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from runtime.config import StationConfig
from runtime.gateway import metrics
from runtime.gateway.disconnect import while_connected
from runtime.gateway.guards import HostGuard, UploadLimit
from runtime.gateway.problem_responses import PROBLEM_SCHEMA, answer_with_problems
from runtime.gateway.reader import Reader
from runtime.gateway.streaming import MEDIA_TYPE, messages
from runtime.problems import BAD_REQUEST, ENGINE_UNAVAILABLE, FILE_TOO_LARGE, MISSING_FILE, Problem
from runtime.results import PageResult
from runtime.tasks.task import Ask, Language, Task

log = logging.getLogger(__name__)

_STATIC = Path(__file__).parent / "static"
_CLIENT_CLOSED_REQUEST = 499
_PROBLEMS: dict[int | str, dict[str, Any]] = {
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
                        }
                    },
                }
            }
        },
    }
}


class PageText(BaseModel):
    """The page's text in reading order."""

    text: str


def build_api(config: StationConfig, reader: Reader) -> FastAPI:
    """The application for `config.api`. `reader` must be running for as long as requests are."""
    app = FastAPI(
        title="Inkstick",
        version=config.version,
        description="Reads page images on this station. Nothing leaves the machine.",
        docs_url=None,
        redoc_url=None,
    )
    counted = metrics.Metrics(reader)
    answer_with_problems(app)

    @app.post(
        "/ocr",
        summary="Read a page",
        response_model=PageText | PageResult,
        responses=_PROBLEMS,
        openapi_extra=_UPLOAD,
    )
    async def ocr(
        request: Request,
        detail: Annotated[
            Literal["text", "full"],
            Query(description="`full`: lines in reading order, with boxes and scores, and the engine."),
        ] = "text",
        task: Annotated[Task, Query(description="What to read; not every engine can do every task.")] = Task.TEXT,
        keys: Annotated[
            list[str] | None, Query(description="Of the task `fields`: the fields' names, one each.")
        ] = None,
        to: Annotated[Language, Query(description="Of the task `translate`: the language wanted.")] = "en",
        stream: Annotated[
            bool, Query(description="Answer line by line (NDJSON): progress and text as it is read, then the result.")
        ] = False,
    ) -> Response:
        ask = _ask(task, keys, to)
        # The form is read here, not by a parameter: FastAPI would turn the upload limit into its own 400.
        data = await _uploaded(request, config.limits.upload_bytes)
        started = time.monotonic()
        outcome = "interrupted"

        def counted_read(result: PageResult | None, ending: str) -> None:
            counted.duration_s.labels(ending).observe(time.monotonic() - started)
            if result is not None:
                counted.read(result)

        if stream:
            return StreamingResponse(messages(reader, data, ask, counted_read), media_type=MEDIA_TYPE)
        result: PageResult | None = None
        try:
            result = await while_connected(request, reader.read(data, ask))
            outcome = "read"
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        except Problem as problem:
            outcome = problem.kind.code
            raise
        finally:
            counted_read(result, outcome)
        answer = result if detail == "full" else PageText(text=result.text)
        return Response(answer.model_dump_json(), media_type="application/json")

    @app.get("/livez", summary="The gateway runs")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", summary="An engine is ready to read", responses={503: PROBLEM_SCHEMA})
    async def readyz() -> JSONResponse:
        if reader.state != "ready":
            raise Problem(ENGINE_UNAVAILABLE, f"The engine is {reader.state}.", retry_after_s=2)
        ready = [engine.name for engine in reader.engines if engine.ready]
        return JSONResponse({"status": "ready", "engines": ready})

    @app.get("/metrics", summary="For Prometheus", response_class=Response)
    async def prometheus() -> Response:
        engines = [await engine.metrics() for engine in reader.engines if engine.ready]
        return Response(counted.text() + "".join(engines).encode(), headers={"content-type": metrics.CONTENT_TYPE})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Inkstick",
            swagger_js_url="/static/vendor/swagger-ui/swagger-ui-bundle.js",
            swagger_css_url="/static/vendor/swagger-ui/swagger-ui.css",
            swagger_favicon_url="data:,",
            # By default the page asks a validator on the internet about its own description.
            swagger_ui_parameters={"validatorUrl": None},
        )

    app.mount("/static", StaticFiles(directory=_STATIC))
    app.add_middleware(UploadLimit, limit_bytes=config.limits.upload_bytes)
    app.add_middleware(HostGuard, listener_host=config.api.host)
    return app


def _ask(task: Task, keys: list[str] | None, to: Language) -> Ask:
    try:
        return Ask(task=task, keys=tuple(keys or ()), to=to)
    except ValidationError as error:
        first = error.errors()[0]
        raise Problem(BAD_REQUEST, f"keys: {first['msg'].removeprefix('Value error, ')}") from None


async def _uploaded(request: Request, limit_bytes: int) -> bytes:
    async with request.form(max_files=1, max_fields=8) as form:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise Problem(MISSING_FILE, "Send a multipart form whose part `file` is the image.")
        if sent.size is not None and sent.size > limit_bytes:
            raise Problem(FILE_TOO_LARGE, f"The limit is {limit_bytes} bytes.")
        return await sent.read()
