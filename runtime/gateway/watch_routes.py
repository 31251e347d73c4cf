"""What the station knows of itself: alerts, self-tests, and how often people had to correct it."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from runtime.accuracy.records import FormAccuracy, KeptCorrection, Records, SelfTestRun
from runtime.accuracy.selftest import SelfTest
from runtime.alerts.book import Alert, Standing
from runtime.gateway.problem_responses import PROBLEM_SCHEMA
from runtime.gateway.refusals import KEY_TOO_LITTLE
from runtime.gateway.station_watch import StationWatch
from runtime.outputs.plain import harmless
from runtime.problems import Problem

_HISTORY = 100


class Alerts(BaseModel):
    """`alerts`: what is wrong now, what is critical first. `over`: what was, the newest first. `rules`: all."""

    checked_at: float
    alerts: list[Alert]
    over: list[Alert]
    rules: list[Standing]


class SelfTests(BaseModel):
    """`state`: "waiting" until nobody has pages to be read. `history`: the newest first, `last` among them."""

    state: Literal["idle", "waiting", "running"]
    last: SelfTestRun | None
    history: list[SelfTestRun]


class Accuracy(BaseModel):
    """`corrections` only if they were asked for."""

    forms: list[FormAccuracy]
    corrections: list[KeptCorrection] | None = None


def watch_routes(watch: StationWatch, selftest: SelfTest, records: Records) -> APIRouter:
    """The routes of `/v1/alerts`, `/v1/selftest` and `/v1/accuracy`."""
    router = APIRouter(prefix="/v1", tags=["Station"])

    @router.get("/alerts", summary="What is wrong with the station")
    async def alerts() -> Alerts:
        await watch.look()
        book = watch.book
        return Alerts(checked_at=time.time(), alerts=book.firing, over=book.over, rules=book.standings())

    async def told() -> SelfTests:
        history = await asyncio.to_thread(records.selftests, _HISTORY)
        return SelfTests(state=selftest.state, last=history[0] if history else None, history=history)

    @router.get("/selftest", summary="How well the station read its own pages")
    async def tested() -> SelfTests:
        return await told()

    @router.post("/selftest", summary="Read its own pages now", status_code=202)
    async def test() -> SelfTests:
        selftest.request()
        return await told()

    @router.get(
        "/accuracy",
        summary="How much of what it read people corrected",
        response_model=Accuracy,
        responses={403: PROBLEM_SCHEMA},
    )
    async def accuracy(
        file_format: Annotated[
            Literal["json", "csv"], Query(alias="format", description="`json`, or rows for a file.")
        ] = "json",
        texts: Annotated[
            bool, Query(description="The corrections with their texts; wants a station with keys, and one for admins.")
        ] = False,
    ) -> Response:
        if texts and not records.keeps_texts:
            raise Problem(KEY_TOO_LITTLE, "Texts are kept, and told, only where the station wants keys.")
        forms = await asyncio.to_thread(records.accuracy)
        corrections = await asyncio.to_thread(records.corrections) if texts else None
        if file_format == "json":
            return Response(
                Accuracy(forms=forms, corrections=corrections).model_dump_json(), media_type="application/json"
            )
        rows: Sequence[BaseModel] = forms if corrections is None else corrections
        columns = list((FormAccuracy if corrections is None else KeptCorrection).model_fields)
        return Response(_csv(columns, rows), media_type="text/csv; charset=utf-8")

    return router


def _csv(columns: Sequence[str], rows: Sequence[BaseModel]) -> str:
    """With a mark by which spreadsheets know UTF-8."""
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow(columns)
    for row in rows:
        cells: dict[str, Any] = row.model_dump()
        writer.writerow(harmless("" if cells[name] is None else str(cells[name])) for name in columns)
    return "\ufeff" + held.getvalue()
