"""The REST interface: a problem document for every error, and nothing from outside."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from runtime.gateway.app import build_api
from runtime.gateway.reader import Reader
from tests.unit.runtime.stub_engine import StubEngine
from tests.unit.runtime.test_reader import png, station

Trial = Callable[[httpx.AsyncClient], Awaitable[None]]
_CODES = re.compile(r"[a-z]+(-[a-z]+)*")


def run(folder: Path, trial: Trial, engine: StubEngine | None = None, **limits: int) -> None:
    async def everything() -> None:
        config = station(folder, **limits)
        async with asyncio.timeout(30), Reader(config) as reader:
            app = build_api(config, reader)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                if engine is None:
                    await trial(client)
                else:
                    async with engine.listening(folder / "engine.sock"):
                        while reader.state != "ready":
                            await asyncio.sleep(0.02)
                        await trial(client)

    asyncio.run(everything())


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status and document["code"] == code
    assert document["title"] and document["title_zh"] and document["type"].endswith(code)
    assert document["instance"].startswith("urn:uuid:")
    assert _CODES.fullmatch(code)


def upload(data: bytes, part: str = "file") -> dict[str, tuple[str, bytes, str]]:
    return {part: ("page.png", data, "application/octet-stream")}


def test_a_page_is_answered_as_flat_text(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr", files=upload(png()))
        assert answer.status_code == 200 and answer.json() == {"text": "read"}

    run(tmp_path, trial, StubEngine())


def test_detail_full_is_the_whole_result(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = (await client.post("/ocr?detail=full", files=upload(png()))).json()
        assert answer["engine"]["name"] == "stub" and answer["width"] == 1 and answer["lines"] == []

    run(tmp_path, trial, StubEngine())


def test_bad_requests_are_problem_documents_and_the_service_goes_on(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        assert_problem(await client.post("/ocr", files=upload(b"")), 400, "empty-file")
        assert_problem(await client.post("/ocr", files=upload(b"text")), 415, "not-an-image")
        assert_problem(await client.post("/ocr", files=upload(png()[:45])), 422, "damaged-image")
        assert_problem(await client.post("/ocr", files=upload(png(), "image")), 400, "missing-file")
        assert_problem(await client.post("/ocr", data={"file": "text"}), 400, "missing-file")
        assert_problem(await client.post("/ocr"), 400, "missing-file")
        assert_problem(await client.post("/ocr", json={"file": "x"}), 400, "missing-file")
        assert_problem(await client.post("/ocr?detail=all", files=upload(png())), 422, "bad-request")
        assert_problem(await client.get("/ocr"), 405, "method-not-allowed")
        assert_problem(await client.get("/nowhere"), 404, "not-found")
        assert_problem(await client.get("/static/../app.py"), 404, "not-found")
        broken = {"content-type": "multipart/form-data; boundary=x"}
        assert_problem(await client.post("/ocr", content=b"y", headers=broken), 400, "bad-request")
        assert (await client.post("/ocr", files=upload(png()))).status_code == 200

    run(tmp_path, trial, StubEngine())


def test_too_many_pixels_is_said(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        assert_problem(await client.post("/ocr", files=upload(png())), 413, "too-many-pixels")

    run(tmp_path, trial, page_pixels=15)


@pytest.mark.parametrize("declared", [True, False])
def test_an_upload_over_the_limit_is_stopped_while_it_comes(tmp_path: Path, declared: bool) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(1000):
            sent += 1
            yield b"\x00" * 10_000

    async def trial(client: httpx.AsyncClient) -> None:
        headers = {"content-type": "multipart/form-data; boundary=x"}
        if declared:
            headers["content-length"] = "10000100"
        answer = await client.post("/ocr", content=body(), headers=headers)
        assert_problem(answer, 413, "file-too-large")

    run(tmp_path, trial, upload_bytes=100_000)


def test_no_engine_is_503_with_a_time(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        for answer in (await client.get("/readyz"), await client.post("/ocr", files=upload(png()))):
            assert_problem(answer, 503, "engine-unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert (await client.get("/livez")).status_code == 200

    run(tmp_path, trial, engine_wait_s=1)


def test_ready_is_said_when_an_engine_is(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        assert (await client.get("/readyz")).json() == {"status": "ready", "engines": ["stub"]}

    run(tmp_path, trial, StubEngine())


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "8.8.8.8", ""])
def test_a_request_addressed_to_another_host_is_refused(tmp_path: Path, host: str) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        assert_problem(await client.get("/livez", headers={"host": host}), 421, "wrong-host")

    run(tmp_path, trial)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000"])
def test_the_stations_own_names_are_accepted(tmp_path: Path, host: str) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.get("/livez", headers={"host": host, "origin": "http://evil.example"})
        assert answer.status_code == 200
        assert not any(name.startswith("access-control") for name in answer.headers)

    run(tmp_path, trial)


def test_metrics_count_pages_and_outcomes(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        await client.post("/ocr", files=upload(png()))
        await client.post("/ocr", files=upload(b"no"))
        text = (await client.get("/metrics")).text
        assert 'ocr_pages_total{engine="stub"} 1.0' in text
        assert 'ocr_request_duration_seconds_count{engine="",outcome="not-an-image",task="auto"} 1.0' in text
        assert "ocr_queue_depth 0.0" in text
        assert 'ocr_engine_restarts_total{engine="stub"} 0.0' in text

    run(tmp_path, trial, StubEngine())


def test_docs_come_from_the_station_alone(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        page = (await client.get("/docs")).text
        assert not re.search(r"https?:|[\"'(]//", page)
        linked = re.findall(r'(?:src|href)="(/[^"]+)"', page)
        assert len(linked) == 2
        for address in [*linked, "/openapi.json"]:
            answer = await client.get(address)
            assert answer.status_code == 200 and len(answer.content) > 1000
        assert not re.search(r"https?:", (await client.get("/openapi.json")).text)

    run(tmp_path, trial)


def test_an_unforeseen_error_is_a_problem_document_without_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Reader, "read", broken)

    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr", files=upload(png()))
        assert_problem(answer, 500, "internal-error")
        assert "secret" not in answer.text

    run(tmp_path, trial)


def test_a_task_goes_to_the_engine_and_one_that_none_can_do_is_refused_with_the_reason(tmp_path: Path) -> None:
    engine = StubEngine(why_not="The stub cannot.")

    async def trial(client: httpx.AsyncClient) -> None:
        assert (await client.post("/ocr?task=spotting", files=upload(png()))).status_code == 200
        refused = await client.post("/ocr?task=table", files=upload(png()))
        assert_problem(refused, 501, "task-not-available")
        assert "The stub cannot." in refused.json()["detail"] and refused.json()["task"] == "table"
        assert_problem(await client.post("/ocr?task=poem", files=upload(png())), 422, "bad-request")

    run(tmp_path, trial, engine)
    assert len(engine.asked) == 1 and '"task":"spotting"' in engine.asked[0]


def test_fields_want_their_names(tmp_path: Path) -> None:
    engine = StubEngine(tasks=("fields",))

    async def trial(client: httpx.AsyncClient) -> None:
        assert_problem(await client.post("/ocr?task=fields", files=upload(png())), 422, "bad-request")
        assert_problem(await client.post("/ocr?task=fields&keys=a'b", files=upload(png())), 422, "bad-request")
        answer = await client.post("/ocr?task=fields&keys=no&keys=sum", files=upload(png()))
        assert answer.status_code == 200

    run(tmp_path, trial, engine)
    assert '"keys":["no","sum"]' in engine.asked[0]


def test_a_streamed_answer_tells_progress_and_ends_with_the_result(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr?stream=true", files=upload(png()))
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert [line["progress"]["stage"] for line in lines[:-1]] == ["queued", "decode", "recognise"]
        assert lines[-1]["result"]["text"] == "read"
        assert 'ocr_pages_total{engine="stub"} 1.0' in (await client.get("/metrics")).text

    run(tmp_path, trial, StubEngine())


def test_a_streamed_answer_that_fails_ends_with_a_problem_document(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr?stream=true", files=upload(b"no image"))
        assert json.loads(answer.text.splitlines()[-1])["problem"]["code"] == "not-an-image"

    run(tmp_path, trial, StubEngine())


def test_an_engines_own_metrics_are_passed_on(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        assert "stub_pages 7" in (await client.get("/metrics")).text

    run(tmp_path, trial, StubEngine())
