"""The station reads its own pages when nobody else wants anything read, and tells how well."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.accuracy.selftest import GOLDEN, START
from tests.integration.station import Station, running_station
from tests.pages.golden import make
from tests.pages.render import render

PATIENCE_S = 300.0


def wait_until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.2)


def told(station: Station) -> dict[str, Any]:
    found: dict[str, Any] = station.http.get("/v1/selftest").json()
    return found


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    folder = tmp_path_factory.mktemp("station")
    with running_station(folder, settings={"selftest": {"at_start": True}}) as running:
        yield running


def test_the_smallest_page_is_read_at_start_without_a_fault(station: Station) -> None:
    wait_until(lambda: told(station)["last"], "the page is read")
    first = told(station)["history"][-1]
    assert (first["trigger"], first["outcome"], first["why"]) == ("start", "passed", "")
    assert first["figures"] == {"pages": 1, "failed": 0, "cer": 0.0, "wer": 0.0, "field_f1": None, "teds": None}
    assert first["engine"]["name"] == "rapidocr" and first["engine_memory_bytes"] > 0
    assert first["seconds_a_page"] > 0 and first["version"] == "0"


def test_all_pages_are_read_when_asked_and_the_alerts_know(station: Station) -> None:
    answer = station.http.post("/v1/selftest")
    assert answer.status_code == 202 and answer.json()["state"] in ("waiting", "running")
    wait_until(lambda: told(station)["state"] == "idle", "the test is over")
    last = told(station)["last"]
    assert (last["trigger"], last["outcome"], last["why"]) == ("request", "passed", "")
    assert last["figures"]["pages"] == 4, "this engine reads no tables"
    assert last["figures"]["cer"] <= 0.02 and last["figures"]["field_f1"] >= 0.9
    rules = {rule["name"]: rule for rule in station.http.get("/v1/alerts").json()["rules"]}
    assert (rules["accuracy"]["state"], rules["accuracy"]["value"]) == ("ok", last["figures"]["cer"])


def test_a_users_page_comes_before_a_golden_one(station: Station) -> None:
    held = io.BytesIO()
    render("columns", faults=True, seed=1).image.save(held, "PNG")
    station.http.post("/v1/selftest")
    wait_until(lambda: told(station)["state"] == "running", "a golden page is in hand")
    answers: list[httpx.Response] = []

    def send() -> None:
        answers.append(station.http.post("/ocr", files={"file": ("page.png", held.getvalue())}))

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    waited = False
    while any(sender.is_alive() for sender in senders):
        waited = waited or told(station)["state"] == "waiting"
        time.sleep(0.02)
    assert waited, "the golden page was put off"
    assert [answer.status_code for answer in answers] == [200] * 3
    wait_until(lambda: told(station)["state"] == "idle", "the test is over")
    assert told(station)["last"]["outcome"] == "passed", "and read afterwards"


def test_a_station_that_misreads_says_so(tmp_path: Path) -> None:
    make(tmp_path / "golden")
    (tmp_path / f"golden/{START}.txt").write_text("what is not on the page at all")
    settings = {"selftest": {"at_start": True, "folder": str(tmp_path / "golden")}}
    with running_station(tmp_path, settings=settings) as station:
        wait_until(lambda: told(station)["last"], "the page is read")
        assert told(station)["last"]["outcome"] == "failed"
        found = station.http.get("/v1/alerts").json()
        assert [alert["name"] for alert in found["alerts"]][:1] == ["accuracy"]
        assert 'ocr_alert_firing{alert="accuracy",severity="critical"} 1.0' in station.http.get("/metrics").text


def test_the_pages_that_ship_are_those_that_the_script_makes(tmp_path: Path) -> None:
    make(tmp_path)
    for truth in (*GOLDEN.glob("*.txt"), *GOLDEN.glob("*.json"), *GOLDEN.glob("*.html")):
        assert truth.read_text(encoding="utf-8") == (tmp_path / truth.name).read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in GOLDEN.iterdir()}
    assert json.loads((GOLDEN / "identity-card.json").read_text(encoding="utf-8"))
