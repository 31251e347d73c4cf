"""What the logs say, and what they never say."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import httpx
import pytest

from runtime.gateway.app import build_api
from runtime.gateway.reader import Reader
from runtime.logs import Format, JsonLines, ReadableLines, configure
from tests.pages.hostile import originals
from tests.unit.runtime.stub_engine import StubEngine
from tests.unit.runtime.test_api import upload
from tests.unit.runtime.test_reader import png, station

SECRET = "沈砚之 4403"


def record(**fields: object) -> logging.LogRecord:
    held = logging.LogRecord("runtime.requests", logging.INFO, "", 0, "request", (), None)
    held.fields = fields
    return held


def test_a_line_is_an_object_for_machines_and_words_for_people() -> None:
    told = json.loads(JsonLines().format(record(caller="key:1", pages=2)))
    assert (told["caller"], told["pages"], told["level"], told["message"]) == ("key:1", 2, "info", "request")
    assert told["time"].endswith("+00:00") and told["logger"] == "runtime.requests"
    assert ReadableLines().format(record(caller="key:1", code="")) == "runtime.requests: request caller=key:1"


@pytest.mark.parametrize("chosen", ["json", "text"])
def test_an_exceptions_words_stay_out_of_the_log(chosen: Format, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure(chosen)
    try:
        try:
            try:
                raise KeyError(SECRET)
            except KeyError as inner:
                raise ValueError(f"cannot read {SECRET}") from inner
        except ValueError:
            logging.getLogger("runtime.trial").exception("a page could not be read")

        async def lost() -> None:
            raise ValueError(SECRET)

        async def everything() -> None:
            task = asyncio.create_task(lost())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            del task

        asyncio.run(everything())
    finally:
        root.handlers = before[0]
        root.setLevel(before[1])  # at INFO, records keep what they tell of: pages, among others
    told = capsys.readouterr().err
    assert "a page could not be read" in told and "never retrieved" in told
    assert "KeyError" in told and "ValueError" in told and "test_logs.py" in told
    assert SECRET not in told


def test_every_request_has_one_line_with_its_facts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def trial() -> None:
        config = station(tmp_path)
        engine = StubEngine()
        async with asyncio.timeout(30), Reader(config) as reader, engine.listening(tmp_path / "engine.sock"):
            app = build_api(config, reader)
            while reader.state != "ready":
                await asyncio.sleep(0.02)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
            ):
                await client.post("/ocr?task=text", files=upload(originals()["tiff"]))
                await client.post("/ocr", files=upload(b"no picture"))
                await client.post("/ocr?stream=true", files=upload(png()))
                await client.get(f"/v1/jobs/{SECRET}")
                await client.get(f"/{SECRET}")
                await client.get("/livez", headers={"host": "elsewhere.example"})

    with caplog.at_level(logging.INFO):
        asyncio.run(trial())
    lines = [each.__dict__["fields"] for each in caplog.records if each.name == "runtime.requests"]
    assert all(line["caller"] == "127.0.0.1" and line["duration_s"] >= 0 for line in lines)
    facts = ("method", "route", "status", "pages", "task", "engine", "code")
    assert [tuple(line[fact] for fact in facts) for line in lines] == [
        ("POST", "/ocr", 200, 3, "text", "stub", ""),
        ("POST", "/ocr", 415, 0, "auto", "", "not-an-image"),
        ("POST", "/ocr", 200, 1, "auto", "stub", ""),
        ("GET", "/v1/jobs/{job}", 404, 0, "", "", "no-job"),
        ("GET", "-", 404, 0, "", "", "not-found"),
        ("GET", "-", 421, 0, "", "", "wrong-host"),
    ]
