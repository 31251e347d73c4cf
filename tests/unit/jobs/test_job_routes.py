"""`/v1/jobs` and documents of several pages, against an engine that answers by script."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from runtime.gateway.app import build_api
from runtime.gateway.reader import Reader
from tests.pages.hostile import originals, zipped
from tests.unit.runtime.stub_engine import StubEngine
from tests.unit.runtime.test_api import assert_problem, upload
from tests.unit.runtime.test_reader import png, station

Trial = Callable[[httpx.AsyncClient], Awaitable[None]]


def run(folder: Path, trial: Trial, engine: StubEngine, **limits: int) -> None:
    async def everything() -> None:
        config = station(folder, **limits)
        async with asyncio.timeout(60), Reader(config) as reader, engine.listening(folder / "engine.sock"):
            app = build_api(config, reader)
            while reader.state != "ready":
                await asyncio.sleep(0.02)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
            ):
                await trial(client)

    asyncio.run(everything())


def files(*datas: bytes) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("file", (f"{index}.bin", data, "application/octet-stream")) for index, data in enumerate(datas)]


async def ended(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    async with client.stream("GET", job["events_url"]) as answer:
        text = "".join([part async for part in answer.aiter_text()])
    last: dict[str, Any] = json.loads(text.strip().rpartition("data: ")[2])
    return last


def test_a_batch_is_accepted_at_once_and_read_in_order(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/jobs", files=files(png(), originals()["tiff"], b"no document"))
        assert answer.status_code == 202 and answer.headers["location"] == answer.json()["status_url"]
        job = answer.json()
        last = await ended(client, job)
        assert (last["state"], last["pages"], last["pages_done"], last["pages_failed"]) == ("done", 5, 4, 1)
        assert (await client.get(job["status_url"])).json()["state"] == "done"
        result = (await client.get(job["result_url"])).json()
        assert [(page["file"], page["page"]) for page in result["pages"]] == [
            ("0.bin", 1), ("1.bin", 1), ("1.bin", 2), ("1.bin", 3), ("2.bin", 0),
        ]  # fmt: skip
        assert result["pages"][0]["result"]["text"] == "read"
        assert result["pages"][4]["failure"]["code"] == "not-an-image" and result["pages"][4]["result"] is None

    run(tmp_path, trial, StubEngine())


def test_events_tell_every_step_to_the_end(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        job = (await client.post("/v1/jobs", files=files(originals()["tiff"]))).json()
        async with client.stream("GET", job["events_url"]) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = [line async for line in answer.aiter_lines()]
        kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
        counts = [json.loads(line.removeprefix("data: "))["pages_done"] for line in lines if line.startswith("data: ")]
        assert kinds[-1] == "end" and set(kinds[:-1]) <= {"progress"}
        assert counts == sorted(counts) and counts[-1] == 3

    run(tmp_path, trial, StubEngine())


def test_cancelling_stops_the_engine_and_no_page_is_begun_after(tmp_path: Path) -> None:
    engine = StubEngine("hang")

    async def trial(client: httpx.AsyncClient) -> None:
        job = (await client.post("/v1/jobs", files=files(originals()["tiff"]))).json()
        while not engine.at_work:
            await asyncio.sleep(0.01)
        assert_problem(await client.get(job["result_url"]), 409, "job-unfinished")
        assert (await client.delete(job["status_url"])).json()["state"] == "cancelled"
        while engine.at_work:
            await asyncio.sleep(0.01)
        assert (await client.get(job["result_url"])).json()["state"] == "cancelled"

    run(tmp_path, trial, engine)
    assert (engine.pages, engine.given_up) == (1, 1)


def test_the_same_key_is_one_job(tmp_path: Path) -> None:
    engine = StubEngine()

    async def trial(client: httpx.AsyncClient) -> None:
        key = {"idempotency-key": "once"}
        first = (await client.post("/v1/jobs", files=files(png()), headers=key)).json()
        again = (await client.post("/v1/jobs", files=files(png()), headers=key)).json()
        assert first["id"] == again["id"]
        await ended(client, first)
        assert_problem(await client.post("/v1/jobs?task=text", files=files(png()), headers=key), 422,
                       "idempotency-key-reused")  # fmt: skip

    run(tmp_path, trial, engine)
    assert engine.pages == 1


def test_pages_and_regions_are_chosen(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        address = "/v1/jobs?pages=3,1&region=0,0,500,500"
        job = (await client.post(address, files=files(originals()["tiff"]))).json()
        await ended(client, job)
        result = (await client.get(job["result_url"])).json()
        assert [page["page"] for page in result["pages"]] == [3, 1]
        assert_problem(await client.post("/v1/jobs?pages=9", files=files(png())), 422, "no-such-page")
        assert_problem(await client.post("/v1/jobs?region=9", files=files(png())), 422, "bad-request")

    run(tmp_path, trial, StubEngine())


def test_a_lone_file_that_cannot_be_opened_is_refused_at_once(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        assert_problem(await client.post("/v1/jobs", files=files(b"no")), 415, "not-an-image")
        assert_problem(await client.post("/v1/jobs", files=files(b"")), 400, "empty-file")
        assert_problem(await client.post("/v1/jobs"), 400, "missing-file")
        assert_problem(await client.get("/v1/jobs/none"), 404, "no-job")
        for part in ("result", "events"):
            assert_problem(await client.get(f"/v1/jobs/none/{part}"), 404, "no-job")
        assert_problem(await client.delete("/v1/jobs/none"), 404, "no-job")

    run(tmp_path, trial, StubEngine())


def test_a_station_that_is_full_says_so_and_when_to_come_back(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        job = (await client.post("/v1/jobs", files=files(originals()["tiff"]))).json()
        refused = await client.post("/v1/jobs", files=files(png()))
        assert_problem(refused, 503, "queue-full")
        assert int(refused.headers["retry-after"]) > 0
        await client.delete(job["status_url"])

    run(tmp_path, trial, StubEngine("hang"), queue_pages=1)


def test_one_caller_leaves_room_for_others(tmp_path: Path) -> None:
    async def everything() -> None:
        config = station(tmp_path, queue_jobs=4)
        engine = StubEngine("hang")
        async with asyncio.timeout(60), Reader(config) as reader, engine.listening(tmp_path / "engine.sock"):
            app = build_api(config, reader)
            while reader.state != "ready":
                await asyncio.sleep(0.02)
            one, another = (
                httpx.AsyncClient(
                    transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://127.0.0.1:8000"
                )
                for address in ("127.0.0.1", "127.0.0.2")
            )
            async with app.router.lifespan_context(app), one, another:
                jobs = [(await one.post("/v1/jobs", files=files(png()))).json() for _ in range(3)]
                refused = await one.post("/v1/jobs", files=files(png()))
                assert_problem(refused, 503, "queue-full")
                assert "yours" in refused.json()["detail"] and int(refused.headers["retry-after"]) > 0
                accepted = await another.post("/v1/jobs", files=files(png()))
                assert accepted.status_code == 202
                for job in (*jobs, accepted.json()):
                    await one.delete(job["status_url"])

    asyncio.run(everything())


def test_a_jobs_deadline_ends_what_is_not_read_and_keeps_what_is(tmp_path: Path) -> None:
    engine = StubEngine("read", "hang")

    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/jobs", files=files(originals()["tiff"]), headers={"X-Request-Timeout": "3"})
        job = answer.json()
        last = await ended(client, job)
        assert (last["state"], last["pages_done"], last["pages_failed"]) == ("done", 1, 2)
        result = (await client.get(job["result_url"])).json()
        assert [page["failure"] and page["failure"]["code"] for page in result["pages"]] == [
            None, "deadline-passed", "deadline-passed",
        ]  # fmt: skip
        while not engine.given_up:
            await asyncio.sleep(0.01)

    run(tmp_path, trial, engine)


def test_one_call_reads_a_whole_document_and_a_zip(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr", files=upload(originals()["tiff"]))
        assert answer.json() == {"text": "read\n\nread\n\nread"}
        answer = await client.post("/ocr?detail=full&pages=2-", files=upload(originals()["tiff"]))
        assert [page["text"] for page in answer.json()["pages"]] == ["read", "read"]
        archive = zipped({"a.png": png(), "notes.txt": b"?"})
        answer = (await client.post("/ocr?detail=full", files=upload(archive))).json()
        assert len(answer["pages"]) == 1 and answer["failures"][0]["code"] == "not-an-image"
        assert (await client.post("/ocr?pages=2", files=upload(originals()["tiff"]))).json() == {"text": "read"}
        assert (await client.get("/v1/capacity")).json()["bytes_held"] == 0

    run(tmp_path, trial, StubEngine())


def test_a_born_digital_pdf_is_answered_without_an_engine(tmp_path: Path) -> None:
    engine = StubEngine()

    async def trial(client: httpx.AsyncClient) -> None:
        answer = (await client.post("/ocr?detail=full&pages=1", files=upload(originals()["pdf"]))).json()
        assert answer["text"].split("\n") == ["The records office opens at nine", "and closes at five."]
        assert answer["engine"]["name"] == "pdf-text"

    run(tmp_path, trial, engine)
    assert engine.pages == 0


def test_a_document_whose_every_page_fails_is_a_problem(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        assert_problem(await client.post("/ocr", files=upload(originals()["tiff"])), 500, "engine-failed")

    run(tmp_path, trial, StubEngine("fail"))


def test_capacity_tells_what_waits_and_how_long_it_would_take(tmp_path: Path) -> None:
    engine = StubEngine("read", "hang")

    async def trial(client: httpx.AsyncClient) -> None:
        empty = (await client.get("/v1/capacity")).json()
        assert (empty["state"], empty["pages_waiting"], empty["bytes_held"]) == ("ready", 0, 0)
        assert empty["seconds_a_page"] is None and empty["wait_s"] is None
        assert empty["engines"] == [{"name": "stub", "ready": True, "parallel": 1, "tasks": ["text", "spotting"]}]
        await client.post("/ocr", files=upload(png()))
        job = (await client.post("/v1/jobs", files=files(originals()["tiff"]))).json()
        full = {"pages_waiting": 3}
        while not engine.at_work or full["pages_waiting"] > 1:  # one is read, one opened meanwhile
            await asyncio.sleep(0.01)
            full = (await client.get("/v1/capacity")).json()
        assert full["pages_waiting"] == 1 and full["bytes_held"] == len(originals()["tiff"])
        assert full["wait_s"] == round(full["seconds_a_page"], 1)
        await client.delete(job["status_url"])

    run(tmp_path, trial, engine)


def test_an_odd_file_name_is_no_mistake_of_the_station(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        body = (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="+2AA-"\r\n\r\n' + png() + b"\r\n--x--\r\n"
        )
        headers = {"content-type": "multipart/form-data; boundary=x; charset=utf-7"}
        answer = await client.post("/v1/jobs", content=body, headers=headers)
        assert answer.status_code == 202
        job = answer.json()
        await ended(client, job)
        assert (await client.get(job["result_url"])).json()["pages"][0]["file"] == "?"

    run(tmp_path, trial, StubEngine())
