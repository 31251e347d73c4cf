"""The admin page's interface, all of it below /admin and behind the door."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from runtime.admin.desk import Desk
from runtime.admin.door import door_routes
from runtime.admin.engines import put_first
from runtime.admin.history import Span
from runtime.admin.interfaces import Network, network
from runtime.admin.key_routes import admin_key_routes
from runtime.admin.log_book import Level, Line, chosen
from runtime.admin.zones import COMMON
from runtime.kiosk import catalogue
from runtime.kiosk.body import Body
from runtime.kiosk.current import DONE

_LINES = 500


class First(Body):
    engine: str


class ToStick(Body):
    stick: str


class SetClock(Body):
    """`wall`: what the clock face shall show, "2026-11-22T15:04:05", in `zone`; "" leaves the zone as it is."""

    wall: str | None = None
    zone: str = ""


class Power(Body):
    action: Literal["poweroff", "reboot"]


def add_admin(app: FastAPI, desk: Desk, templates: Environment) -> None:
    """Put the page and its interface on the kiosk's own port."""
    app.include_router(door_routes(desk.door))
    app.include_router(_page(desk, templates))
    app.include_router(_routes(desk))
    app.include_router(admin_key_routes(desk))


def _page(desk: Desk, templates: Environment) -> APIRouter:
    router = APIRouter()

    @router.get("/admin")
    async def page(request: Request) -> HTMLResponse:
        desk.door.refuse_far(request)
        language = desk.session.language
        return HTMLResponse(
            templates.get_template("admin.html").render(
                language=language,
                second=catalogue.other(language),
                tags=catalogue.TAGS,
                words={each: catalogue.messages(each) for each in catalogue.LANGUAGES},
                version=desk.config.version,
            )
        )

    return router


def _routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/admin", dependencies=[Depends(desk.door.require)])

    @router.get("/now")
    async def now() -> dict[str, Any]:
        return await desk.now()

    @router.get("/history")
    async def history(span: Span = "hour") -> dict[str, list[float | None]]:
        return desk.history.columns(span)

    @router.post("/alerts/look")
    async def look() -> Response:
        await desk.watch.look()
        return DONE

    @router.post("/engines/first")
    async def first(body: First) -> Response:
        await put_first(desk.reader, body.engine, desk.switch_file)
        return DONE

    @router.post("/selftest")
    async def test() -> Response:
        desk.selftest.request()
        return DONE

    @router.get("/logs")
    async def logs(level: Level = "info", source: str = "", words: str = "") -> list[Line]:
        lines = await desk.lines()
        return chosen(lines, least=level, source=source, words=words, most=_LINES)

    @router.post("/bundle")
    async def bundle(body: ToStick) -> dict[str, Any]:
        return await desk.save_bundle(body.stick)

    @router.get("/clock")
    async def clock() -> dict[str, Any]:
        known = await desk.clock.ask() if desk.clock.can_set else None
        return {"can_set": known is not None, "board": known is not None and known.board, "zones": COMMON}

    @router.post("/clock")
    async def set_clock(body: SetClock) -> dict[str, Any]:
        """Whether the board's clock was set as well; None where only the zone was asked for."""
        if body.zone:
            desk.zone.choose(body.zone)
        if body.wall is None:
            return {"board": None}
        done = await desk.clock.set(desk.zone.instant(body.wall))
        return {"board": done.board}

    @router.get("/network")
    async def interfaces() -> Network:
        config = desk.config
        ports = [f"{each.host}:{each.port}" for each in (config.ui, config.api)]
        return await asyncio.to_thread(network, ports)

    @router.post("/power")
    async def power(body: Power) -> Response:
        await desk.session.power(body.action)
        return DONE

    return router
