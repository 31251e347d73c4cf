"""What the station tells of itself: alerts, self-tests, accuracy, and figures for Prometheus."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.accuracy.records import Records
from runtime.alerts.rules import AlertRule
from runtime.config import AuthConfig, StationConfig
from runtime.engine.wire import Gpu
from runtime.gateway.app import build_api
from runtime.gateway.reader import Reader
from runtime.keys.ring import KeyRing
from tests.unit.accuracy.test_records import CARD, reviewed
from tests.unit.runtime.stub_engine import StubEngine
from tests.unit.runtime.test_api import assert_problem, upload
from tests.unit.runtime.test_reader import png, station

Trial = Callable[[httpx.AsyncClient, Reader], Awaitable[None]]
CARD_OF_24_GB = Gpu(index=0, name="RTX", busy=0.5, memory_used_bytes=24 << 30, memory_bytes=24 << 30, celsius=70)


def run(config: StationConfig, trial: Trial, engine: StubEngine | None = None, records: Records | None = None) -> None:
    async def everything() -> None:
        async with asyncio.timeout(60), Reader(config) as reader:
            transport = httpx.ASGITransport(build_api(config, reader, records), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                if engine is None:
                    await trial(client, reader)
                else:
                    async with engine.listening(config.engines[0].socket):
                        while reader.state != "ready":
                            await asyncio.sleep(0.02)
                        await trial(client, reader)

    asyncio.run(everything())


async def figures(client: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    """Every sample of /metrics, by its name and its labels' values."""
    families = text_string_to_metric_families((await client.get("/metrics")).text.partition("stub_pages")[0])
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


def test_figures_have_the_task_engine_and_outcome(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient, _: Reader) -> None:
        await client.post("/ocr?task=text", files=upload(png()))
        await client.post("/ocr?task=text", files=upload(b"no image"))
        found = await figures(client)
        assert found["ocr_request_duration_seconds_count", "stub", "read", "text"] == 1
        assert found["ocr_request_duration_seconds_count", "", "not-an-image", "text"] == 1
        assert found["ocr_page_duration_seconds_count", "stub", "read", "text"] == 1
        assert found["ocr_pages_total", "stub"] == 1
        assert found["ocr_queue_depth",] == found["ocr_inflight",] == found["ocr_pages_set_aside_total",] == 0
        assert found["ocr_truncated_total",] == found["ocr_repeat_stop_total",] == 0
        assert found["ocr_engine_restarts_total", "stub"] == found["ocr_engine_hangs_total", "stub"] == 0
        assert found["ocr_engine_ready", "stub"] == 1
        assert found["ocr_recent_page_seconds", "0.95"] >= found["ocr_recent_page_seconds", "0.5"] > 0
        assert found["ocr_recent_page_seconds_mean",] > 0

    run(station(tmp_path), trial, StubEngine())


def test_the_cards_that_the_engine_sees_are_told_and_watched(tmp_path: Path) -> None:
    full = AlertRule(name="gpu-memory", signal="gpu_memory", above=0.9, zh="满", en="full")
    config = station(tmp_path).model_copy(update={"alerts": (full,)})

    async def trial(client: httpx.AsyncClient, reader: Reader) -> None:
        (engine,) = reader.engines
        assert engine.health is not None
        engine.health = engine.health.model_copy(update={"gpus": (CARD_OF_24_GB,), "memory_bytes": 7})
        found = await figures(client)
        assert found["ocr_gpu_utilization_ratio", "0", "RTX"] == 0.5
        assert found["ocr_gpu_memory_used_bytes", "0", "RTX"] == found["ocr_gpu_memory_bytes", "0", "RTX"] == 24 << 30
        assert found["ocr_gpu_temperature_celsius", "0", "RTX"] == 70
        assert found["ocr_engine_resident_bytes", "stub"] == 7
        engine.health = engine.health.model_copy(update={"gpus": (CARD_OF_24_GB,)})
        told = (await client.get("/v1/alerts")).json()
        assert [alert["name"] for alert in told["alerts"]] == ["gpu-memory"]
        assert told["alerts"][0]["text"] == {"zh": "满", "en": "full"}
        assert (await figures(client))["ocr_alert_firing", "gpu-memory", "warning"] == 1

    run(config, trial, StubEngine())


def test_a_page_that_kills_raises_an_alert(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient, _: Reader) -> None:
        assert (await client.get("/v1/alerts")).json()["alerts"] == []
        assert_problem(await client.post("/ocr", files=upload(png())), 422, "page-set-aside")
        told = (await client.get("/v1/alerts")).json()
        assert [alert["name"] for alert in told["alerts"]] == ["pages-set-aside"]
        states = {rule["name"]: rule["state"] for rule in told["rules"]}
        assert states["gpu-memory"] == "unknown" and states["disk"] in ("ok", "pending")

    run(station(tmp_path), trial, StubEngine("die"))


def test_accuracy_is_exported_without_a_word_of_the_pages(tmp_path: Path) -> None:
    records = Records(None)
    records.keep_reviews([reviewed("1", {0: "姓名 李四"}, *CARD), reviewed("2", {0: "=1+1"}, "plain")])

    async def trial(client: httpx.AsyncClient, _: Reader) -> None:
        told = await client.get("/v1/accuracy")
        assert [form["form"] for form in told.json()["forms"]] == ["identity-card", ""]
        assert told.json()["corrections"] is None and "李四" not in told.text
        rows = list(csv.DictReader(io.StringIO((await client.get("/v1/accuracy?format=csv")).text.lstrip("\ufeff"))))
        assert [(row["form"], row["pages"], row["lines_corrected"]) for row in rows] == [
            ("identity-card", "1", "1"),
            ("", "1", "1"),
        ]
        assert_problem(await client.get("/v1/accuracy?texts=true"), 403, "key-too-little")

    run(station(tmp_path), trial, records=records)


@pytest.mark.parametrize("path", ["/v1/alerts", "/v1/selftest", "/v1/accuracy", "/v1/accuracy?texts=true"])
def test_only_an_admins_key_opens_what_the_station_knows_of_itself(tmp_path: Path, path: str) -> None:
    keys = tmp_path / "keys" / "keys.json"
    config = station(tmp_path).model_copy(update={"auth": AuthConfig(required=True, keys=keys)})
    records = Records(None, keep_texts=True)
    records.keep_reviews([reviewed("1", {0: "=1+1"}, "plain")])

    async def trial(client: httpx.AsyncClient, _: Reader) -> None:
        key = KeyRing(keys).make(("ocr",))[1]
        assert_problem(await client.get(path, headers={"x-api-key": key}), 403, "key-too-little")
        key = KeyRing(keys).make(("admin",))[1]
        answer = await client.get(path, headers={"x-api-key": key})
        assert answer.status_code == 200 and ("=1+1" in answer.text) is path.endswith("texts=true")
        if path.endswith("texts=true"):
            rows = await client.get(f"{path}&format=csv", headers={"x-api-key": key})
            assert "'=1+1" in rows.text, "no spreadsheet takes it for a formula"

    run(config, trial, records=records)


def test_a_station_that_was_never_tested_says_so(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient, _: Reader) -> None:
        assert (await client.get("/v1/selftest")).json() == {"state": "idle", "last": None, "history": []}

    run(station(tmp_path), trial)
