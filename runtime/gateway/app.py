"""The REST interface: `POST /ocr`, health, metrics, and its own documentation without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import JSONResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from runtime.accuracy.records import Records
from runtime.accuracy.selftest import SelfTest
from runtime.config import StationConfig
from runtime.gateway import metrics
from runtime.gateway.capacity import capacity_routes
from runtime.gateway.chat import chat_routes
from runtime.gateway.document_reading import Documents
from runtime.gateway.guards import HostGuard, UploadLimit
from runtime.gateway.hardware import hardware_routes
from runtime.gateway.job_routes import job_routes
from runtime.gateway.job_service import JobService
from runtime.gateway.key_routes import key_routes
from runtime.gateway.ocr_routes import ocr_routes
from runtime.gateway.problem_responses import PROBLEM_SCHEMA, answer_with_problems
from runtime.gateway.rate_limits import RateLimit
from runtime.gateway.reader import Reader
from runtime.gateway.recognition import Recognition
from runtime.gateway.request_log import RequestLog
from runtime.gateway.signals import Signals
from runtime.gateway.station_watch import AlertMetrics, StationWatch
from runtime.gateway.watch_routes import watch_routes
from runtime.keys.guard import KeyGuard
from runtime.keys.ring import KeyRing
from runtime.problems import ENGINE_UNAVAILABLE, Problem

if TYPE_CHECKING:
    from runtime.keys.tokens import Tokens

_STATIC = Path(__file__).parent / "static"


def build_api(
    config: StationConfig,
    reader: Reader,
    records: Records | None = None,
    *,
    expects_pages: Callable[[], bool] = lambda: False,
) -> FastAPI:
    """The application for `config.api`. `reader` must be running for as long as requests are.

    `records`: where self-tests and reviews are kept; without, in memory. `expects_pages`: see SelfTest.
    """
    kept = records or Records(None)
    recognition = Recognition(reader, config.forms)
    counted = metrics.Metrics(reader)
    jobs = JobService(config, reader, recognition, counted.read, lambda: counted.seconds_a_page)
    selftest = SelfTest(config, reader, recognition, kept, expects_pages=expects_pages)
    tokens = _tokens(config)
    late = (lambda: 0) if tokens is None else (lambda: tokens.out_of_time)
    watch = StationWatch(config, Signals(config, reader, selftest_cer=selftest.errors, tokens_out_of_time=late), jobs)
    counted.add(AlertMetrics(watch))
    documents = Documents(recognition, jobs)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if config.jobs.folder is not None:
            await jobs.queue()  # what the last process left behind is taken up again
        try:
            async with selftest.running(), watch.running():
                yield
        finally:
            await jobs.close()

    app = FastAPI(
        title="Inkstick",
        version=config.version,
        description="Reads page images on this station. Nothing leaves the machine.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.watch, app.state.selftest, app.state.records = watch, selftest, kept
    app.state.jobs, app.state.metrics = jobs, counted
    answer_with_problems(app)

    app.include_router(ocr_routes(config, recognition, documents, counted))
    app.include_router(job_routes(config, jobs))
    app.include_router(chat_routes(documents))
    app.include_router(capacity_routes(config, reader, jobs, counted))
    app.include_router(watch_routes(watch, selftest, kept))

    app.include_router(hardware_routes(reader.hardware))
    if config.auth.required:
        app.include_router(key_routes(config.auth))

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
    # What is added last looks first.
    app.add_middleware(RateLimit, rates=config.rates)
    if config.auth.required and config.auth.keys is not None:
        app.add_middleware(
            KeyGuard, ring=KeyRing(config.auth.keys), grant_of_token=None if tokens is None else tokens.grant
        )
    app.add_middleware(UploadLimit, limit_bytes=config.limits.upload_bytes)
    app.add_middleware(HostGuard, listener_host=config.api.host)
    app.add_middleware(RequestLog)
    return app


def _tokens(config: StationConfig) -> Tokens | None:
    """Where the station takes tokens at all: their package is imported here alone."""
    if not config.auth.required or config.auth.keys is None or config.auth.tokens is None:
        return None
    from runtime.keys.tokens import Tokens

    return Tokens(config.auth.tokens, config.auth.keys)
