"""The page's server.

By keyboard alone, from a fresh page with one stick plugged in:

    the list appears by itself   A        choose all (Space chooses one, Up and Down move)
                                 Enter    read what is chosen (W: choose what for)
    the review appears by itself S or F2  save to the stick
    "Safe to remove" appears     P or F10 ask to power off
    the question appears         Enter    power off (Esc: stay)

In the review, Tab leads to the next doubtful place on any page and Shift+Tab back; Up and Down go through
lines, fields and cells, Enter corrects one and Enter or Esc ends that, 1 to 4 choose fields, lines, text or
tables, PageUp and PageDown change the page, Ctrl+Z and Ctrl+Y undo and redo, F searches and replaces, V shows
one page, two or all, + - 0 and Z zoom, R reads a failed page again. Everywhere: L or F9 changes the
language, ? or F1 shows the keys, Esc goes back. While a line is being typed only the F keys, Ctrl+S, Tab,
Enter and Esc are shortcuts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

from runtime.config import StationConfig
from runtime.gateway.guards import HostGuard, is_loopback
from runtime.gateway.milestones import Milestones, kiosk_painted
from runtime.gateway.problem_responses import answer_with_problems
from runtime.keys.first import ShownKey
from runtime.kiosk import (
    camera_routes,
    catalogue,
    choice_routes,
    export_routes,
    file_routes,
    forgetting_routes,
    intake_routes,
    pinyin_routes,
    printing_routes,
    reading_routes,
    review_routes,
    routes,
    scanner_routes,
    scripts,
    start_routes,
    vault_routes,
)
from runtime.kiosk.about import is_synthetic
from runtime.kiosk.contracts import OnSaved, Reader
from runtime.kiosk.forgetting import Forgetting, OnForgotten, tell_forgotten
from runtime.kiosk.reviewing import Review
from runtime.kiosk.same_origin import SameOrigin
from runtime.kiosk.session import Session
from runtime.kiosk.statics import page_files
from runtime.kiosk.thumbnails import Thumbnails
from runtime.media.client import MediaClient
from runtime.pinyin import candidates as pinyin
from runtime.problems import NOT_FOUND, Problem
from runtime.vault.vault import Kept


def build_ui(
    config: StationConfig,
    reader: Reader,
    *,
    on_painted: Callable[[], None] | None = None,
    on_saved: OnSaved | None = None,
    on_forgotten: OnForgotten | None = None,
    first_keys: Callable[[], list[ShownKey]] = list,
    kept: Sequence[Kept] = (),
) -> FastAPI:
    """The application for `config.ui`. `first_keys` gives the REST interface's first keys, once.

    `on_painted` is called once, when the page has painted itself for the first time; by default it makes
    the milestone and the flag that the engine waits for. `on_saved` is told of the pages whenever they
    were saved, `on_forgotten` of those that are forgotten. `kept`: what lives in the vault, beside the history,
    while one is open.

    An open page keeps one request open (the event stream): run the server with a limit on its
    graceful shutdown.
    """
    media = None if config.media_socket is None else MediaClient(config.media_socket)
    session = Session(config, reader, media, on_saved)
    templates = Environment(
        loader=FileSystemLoader(catalogue.PAGES / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    painted = _Once(on_painted or (lambda: kiosk_painted(Milestones(config), config)))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with session.open():
            yield

    app = FastAPI(title="Inkstick", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.session, app.state.templates = session, templates
    app.state.thumbnails = Thumbnails(session)
    answer_with_problems(app)
    app.state.review = Review(session)
    session.plug(app.state.review)
    let_go = (app.state.thumbnails.forget, session.peeked.forget, pinyin.forget, partial(tell_forgotten, config))
    app.state.forgetting = Forgetting(session, config.forgetting, let_go=let_go, on_forgotten=on_forgotten)
    session.plug(app.state.forgetting)
    for each in (
        routes,
        file_routes,
        intake_routes,
        reading_routes,
        choice_routes,
        pinyin_routes,
        review_routes,
        export_routes,
        forgetting_routes,
        start_routes,
    ):
        app.include_router(each.router)
    camera_routes.plug(app, session)
    scanner_routes.plug(app, session)
    printing_routes.plug(app, session)
    vault_routes.plug(app, session, media, kept)
    app.mount("/static", page_files())
    app.mount("/vendor", StaticFiles(directory=catalogue.PAGES / "vendor"))

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(
            templates.get_template("kiosk.html").render(
                language=session.language,
                second=catalogue.other(session.language),
                tags=catalogue.TAGS,
                words=catalogue.kiosk_words(),
                scripts=scripts.needed(),
                version=config.version,
                synthetic=is_synthetic(config),
                prints=config.printer_socket is not None,
            )
        )

    @app.get("/favicon.ico")
    async def no_icon() -> Response:
        return Response(status_code=204)

    @app.post("/kiosk/painted")
    async def report_paint() -> Response:
        painted()
        return Response(status_code=204)

    @app.post("/kiosk/keys/first")
    async def show_first_keys(request: Request) -> list[ShownKey]:
        """Once, and on this very machine: the answer is the only place where they stand."""
        if request.client is None or not is_loopback(request.client.host):
            raise Problem(NOT_FOUND)
        return first_keys()

    app.add_middleware(SameOrigin)
    app.add_middleware(HostGuard, listener_host=config.ui.host)
    return app


class _Once:
    def __init__(self, action: Callable[[], None]) -> None:
        self._action: Callable[[], None] | None = action

    def __call__(self) -> None:
        action, self._action = self._action, None
        if action is not None:
            action()
