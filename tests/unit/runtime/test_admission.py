"""Who is let in, for how long, and what becomes of work that nobody waits for any more."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import ValidationError

from runtime.config import JobsConfig, Rates
from runtime.gateway.app import build_api
from runtime.gateway.reader import Reader
from tests.pages.hostile import originals
from tests.unit.runtime.stub_engine import StubEngine
from tests.unit.runtime.test_api import assert_problem, upload
from tests.unit.runtime.test_reader import png, station

Trial = Callable[[httpx.AsyncClient], Awaitable[None]]


def run(folder: Path, trial: Trial, engine: StubEngine, rates: Rates | None = None, **limits: int) -> None:
    """Behind a real server on a loopback port, which notices when a client goes away."""

    async def everything() -> None:
        config = station(folder, **limits).model_copy(
            update={"rates": rates or Rates(), "jobs": JobsConfig(folder=folder / "jobs")}
        )
        async with asyncio.timeout(20), Reader(config) as reader, engine.listening(folder / "engine.sock"):
            while reader.state != "ready":
                await asyncio.sleep(0.02)
            listener = socket.create_server(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(build_api(config, reader), log_config=None, access_log=False))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            try:
                async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
                    await trial(client)
            finally:
                server.should_exit = True
                await serving

    asyncio.run(everything())


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.01)


async def gone(call: Coroutine[None, None, httpx.Response], when: Callable[[], bool]) -> None:
    """Make the call, and go away when something has come about."""
    calling = asyncio.create_task(call)
    await until(when)
    calling.cancel()
    await asyncio.wait([calling])


async def capacity(client: httpx.AsyncClient) -> dict[str, Any]:
    told: dict[str, Any] = (await client.get("/v1/capacity")).json()
    return told


def chat(data: bytes) -> dict[str, Any]:
    url = "data:image/png;base64," + base64.b64encode(data).decode()
    return {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]}


def test_a_caller_over_its_rate_is_told_when_to_come_back(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        for left in (1, 0):
            answer = await client.post("/ocr", files=upload(png()))
            assert answer.status_code == 200
            assert answer.headers["ratelimit-policy"] == '"work";q=2;w=60'
            assert re.fullmatch(rf'"work";r={left};t=\d+', answer.headers["ratelimit"])
        refused = await client.post("/ocr", files=upload(png()))
        assert_problem(refused, 429, "rate-exceeded")
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert refused.json()["violated-policies"] == ["work"]
        assert refused.headers["ratelimit"].startswith('"work";r=0;')
        told = await client.get("/v1/capacity")
        assert told.status_code == 200 and told.headers["ratelimit-policy"] == '"calls";q=5;w=1'

    run(tmp_path, trial, engine := StubEngine(), Rates(work="2/minute", calls="5/second"))
    assert engine.pages == 2


def test_health_is_never_limited(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        for _ in range(5):
            for path in ("/livez", "/readyz", "/docs"):
                answer = await client.get(path)
                assert answer.status_code == 200 and "ratelimit" not in answer.headers

    run(tmp_path, trial, StubEngine(), Rates(work="1/hour", calls="1/hour"))


def test_a_rate_that_cannot_be_understood_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError):
        Rates(work="often")
    assert Rates(work=None).work is None


@pytest.mark.parametrize("path", ["/ocr", "/v1/chat/completions"])
def test_past_the_callers_deadline_the_engine_stops_and_504_is_answered(tmp_path: Path, path: str) -> None:
    engine = StubEngine()

    async def trial(client: httpx.AsyncClient) -> None:
        sent: dict[str, Any] = {"files": upload(png())} if path == "/ocr" else {"json": chat(png())}
        assert (await client.post(path, headers={"x-request-timeout": "30"}, **sent)).status_code == 200
        engine.deeds = ["hang"]
        late = await client.post(path, headers={"x-request-timeout": "1.5"}, **sent)
        assert late.status_code == 504 and "deadline-passed" in late.text
        await until(lambda: not engine.at_work)
        engine.deeds = ["read"]
        assert (await client.post(path, **sent)).status_code == 200  # the turn is free again
        assert (await capacity(client))["jobs"] == 0

    run(tmp_path, trial, engine)
    assert engine.given_up == engine.pages - 2


def test_a_stream_past_its_deadline_ends_with_the_problem(tmp_path: Path) -> None:
    engine = StubEngine("hang")

    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr?stream=true", headers={"x-request-timeout": "1.5"}, files=upload(png()))
        assert json.loads(answer.text.splitlines()[-1])["problem"]["code"] == "deadline-passed"
        await until(lambda: not engine.at_work)

    run(tmp_path, trial, engine)


@pytest.mark.parametrize("deadline", ["0", "-1", "soon", "nan", "inf"])
def test_a_deadline_that_is_none_is_refused(tmp_path: Path, deadline: str) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr", headers={"x-request-timeout": deadline}, files=upload(png()))
        assert_problem(answer, 422, "bad-request")

    run(tmp_path, trial, StubEngine())


@pytest.mark.parametrize("path", ["/ocr", "/ocr?stream=true", "/v1/chat/completions"])
def test_when_the_client_goes_away_the_engine_stops_and_the_next_page_is_read(tmp_path: Path, path: str) -> None:
    engine = StubEngine("hang", "read")

    async def trial(client: httpx.AsyncClient) -> None:
        sent: dict[str, Any] = {"json": chat(png())} if "chat" in path else {"files": upload(png())}
        await gone(client.post(path, **sent), lambda: engine.at_work == 1)
        await until(lambda: engine.given_up == 1)
        assert (await client.post("/ocr", files=upload(png()))).json() == {"text": "read"}
        left = await capacity(client)
        assert (left["jobs"], left["pages_waiting"], left["bytes_held"]) == (0, 0, 0)

    run(tmp_path, trial, engine)


def test_a_waiting_call_whose_client_goes_away_is_never_begun(tmp_path: Path) -> None:
    engine = StubEngine("hang", "read")

    async def trial(client: httpx.AsyncClient) -> None:
        first = asyncio.create_task(client.post("/ocr", files=upload(png())))
        await until(lambda: engine.at_work == 1)
        second = asyncio.create_task(client.post("/ocr", files=upload(png())))
        while (await capacity(client))["jobs"] < 2:
            await asyncio.sleep(0.01)
        for call, left in ((second, 1), (first, 0)):
            call.cancel()
            while (await capacity(client))["jobs"] > left:
                await asyncio.sleep(0.01)
        assert (await client.post("/ocr", files=upload(png()))).status_code == 200

    run(tmp_path, trial, engine)
    assert (engine.pages, engine.given_up) == (2, 1)


def test_an_accepted_job_goes_on_when_its_client_goes_away(tmp_path: Path) -> None:
    engine = StubEngine("read")

    async def trial(client: httpx.AsyncClient) -> None:
        job = (await client.post("/v1/jobs", files=upload(originals()["tiff"]))).json()
        async with client.stream("GET", job["events_url"]) as answer:
            await anext(answer.aiter_lines())
        await until(lambda: engine.pages == 3)

    run(tmp_path, trial, engine)


def test_a_call_that_is_waited_for_has_its_turn_within_a_large_job(tmp_path: Path) -> None:
    engine = StubEngine("read")

    async def trial(client: httpx.AsyncClient) -> None:
        many = [("file", (f"{n}", originals()["tiff"])) for n in range(20)]
        job = (await client.post("/v1/jobs", files=many)).json()
        answers = await asyncio.gather(*(client.post("/ocr", files=upload(png())) for _ in range(3)))
        assert all(answer.status_code == 200 for answer in answers)
        status = (await client.get(job["status_url"])).json()
        assert status["state"] == "running" and status["pages_done"] < 30
        await client.delete(job["status_url"])

    run(tmp_path, trial, engine)


@pytest.mark.parametrize("limit", ["queue_jobs", "queue_pixels"])
def test_a_queue_full_of_jobs_or_pixels_refuses_both_kinds_of_calls(tmp_path: Path, limit: str) -> None:
    engine = StubEngine("hang")
    most = {"queue_jobs": 2, "queue_pixels": 3 * 400 * 224}[limit]

    async def trial(client: httpx.AsyncClient) -> None:
        jobs = [(await client.post("/v1/jobs", files=upload(originals()["tiff"]))).json() for _ in range(1)]
        await until(lambda: engine.at_work == 1)
        jobs.append((await client.post("/v1/jobs", files=upload(png()))).json())
        refusals = [
            await client.post("/v1/jobs", files=upload(originals()["tiff"])),
            await client.post("/ocr", files=upload(originals()["tiff"])),
        ]
        for refused in refusals:
            assert_problem(refused, 503, "queue-full")
            assert int(refused.headers["retry-after"]) >= 1
        while (told := await capacity(client))["pages_waiting"] > 2:  # one is read, one opened meanwhile
            await asyncio.sleep(0.01)
        assert (told["jobs"], told["pages_waiting"]) == (2, 2)
        assert told["pixels_waiting"] == 400 * 224 + 16
        for job in jobs:
            await client.delete(job["status_url"])

    run(tmp_path, trial, engine, None, **{limit: most})


def test_a_task_that_no_engine_can_do_is_refused_before_it_waits(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        for path in ("/ocr", "/v1/jobs"):
            assert_problem(await client.post(f"{path}?task=chart", files=upload(png())), 501, "task-not-available")

    run(tmp_path, trial, StubEngine(why_not="It reads text alone."))
