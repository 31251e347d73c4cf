"""Gateway and engine as real processes: pages are read in order, whichever way up, and none is lost."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.integration.station import REPOSITORY, Station, running_station
from tests.pages.cer import cer
from tests.pages.render import RenderedPage, askew, render, turned

SAMPLES = REPOSITORY.parent / "shared" / "samples"
_BOUNDS = {
    "phototest.tif": 0.01,
    "phototest-rotated-R.png": 0.01,
    "phototest-rotated-180.png": 0.01,
    "eurotext.tif": 0.02,
    "8071_093.3B.tif": 0.02,
    "ch_en_num.jpg": 0.25,
}
"""Highest character error rate allowed. The poster's truth reads its two prices down, a choice of the eye."""
PRESENT = [name for name in _BOUNDS if (SAMPLES / name).is_file()]


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with running_station(tmp_path_factory.mktemp("station"), upload_bytes=8_000_000) as running:
        yield running


def encoded(image: Image.Image, form: str = "PNG") -> bytes:
    held = io.BytesIO()
    image.save(held, form)
    return held.getvalue()


def send(station: Station, data: bytes, detail: str = "full") -> httpx.Response:
    return station.http.post("/ocr", params={"detail": detail}, files={"file": ("page", data)})


def read(station: Station, data: bytes) -> dict[str, Any]:
    answer = send(station, data)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


@pytest.mark.parametrize("faults", [False, True], ids=["clean", "photographed"])
@pytest.mark.parametrize("kind", ["english", "chinese", "columns", "gazette", "slip"])
def test_rendered_pages_are_read(station: Station, kind: str, faults: bool) -> None:
    page = render(kind, faults=faults, seed=7)
    result = read(station, encoded(page.image))
    assert result["rotation"] == 0
    assert cer(page.text, result["text"]) <= 0.02


@pytest.mark.parametrize("clockwise", [90, 180, 270])
@pytest.mark.parametrize("kind", ["english", "chinese"])
def test_turned_pages_are_turned_upright(station: Station, kind: str, clockwise: int) -> None:
    page: RenderedPage = turned(render(kind), clockwise)
    result = read(station, encoded(page.image))
    assert result["rotation"] == 360 - clockwise
    assert (result["width"], result["height"]) == render(kind).image.size
    assert cer(page.text, result["text"]) <= 0.02


@pytest.mark.parametrize("degrees", [-8, -5, 3, 8])
@pytest.mark.parametrize("kind", ["english", "chinese", "columns", "slip"])
def test_a_page_that_lies_askew_is_read_with_the_same_text(station: Station, kind: str, degrees: int) -> None:
    page = render(kind)
    result = read(station, encoded(askew(page, degrees).image))
    assert result["rotation"] == 0
    assert cer(page.text, result["text"]) <= 0.01


@pytest.mark.parametrize("clockwise", [90, 180, 270])
@pytest.mark.parametrize("degrees", [-5, 5])
def test_a_sideways_or_upside_down_page_may_lie_askew_too(station: Station, degrees: int, clockwise: int) -> None:
    page = turned(askew(render("columns"), degrees), clockwise)
    result = read(station, encoded(page.image))
    assert result["rotation"] == 360 - clockwise
    assert cer(page.text, result["text"]) <= 0.01


def test_vertical_writing_is_not_taken_for_a_turned_page(station: Station) -> None:
    assert read(station, encoded(render("vertical").image))["rotation"] == 0


@pytest.mark.parametrize("name", PRESENT)
def test_samples_are_read(station: Station, name: str) -> None:
    truth = (SAMPLES / name.replace("-rotated-R", "").replace("-rotated-180", "")).with_suffix(".txt")
    result = read(station, (SAMPLES / name).read_bytes())
    assert cer(truth.read_text(), result["text"]) <= _BOUNDS[name]


def test_lines_lie_on_the_page_in_the_order_of_the_text(station: Station) -> None:
    result = read(station, encoded(render("columns").image))
    found = 0
    for line in result["lines"]:
        found = result["text"].index(line["text"], found)
        assert all(0 <= x <= result["width"] and 0 <= y <= result["height"] for x, y in line["box"])
        assert 0.5 <= line["score"] <= 1
    assert result["engine"]["name"] == "rapidocr" and result["engine"]["models"]


def test_a_blank_page_is_a_page_without_text(station: Station) -> None:
    result = read(station, encoded(Image.new("RGB", (300, 200), "white")))
    assert result["text"] == "" and result["lines"] == []


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (31, 31), (4000, 20)])
def test_odd_sizes_are_read_too(station: Station, size: tuple[int, int]) -> None:
    assert send(station, encoded(Image.new("L", size, 200))).status_code == 200


def test_bad_input_is_refused_and_the_next_page_read(station: Station) -> None:
    page = encoded(render("english").image)
    for data, status, code in (
        (b"", 400, "empty-file"),
        (b"not an image", 415, "not-an-image"),
        (page[: len(page) // 2], 422, "damaged-image"),
        (encoded(Image.new("1", (10_000, 10_000))), 413, "too-many-pixels"),
        (b"\x00" * 9_000_000, 413, "file-too-large"),
    ):
        answer = send(station, data)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
    assert send(station, page, "text").json().keys() == {"text"}


def test_a_page_is_finished_though_its_engine_is_killed(station: Station) -> None:
    page = render("columns", faults=True, seed=1)
    big = encoded(page.image.resize((page.image.width * 2, page.image.height * 2)))
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(send(station, big)))
    (engine,) = station.pids("engine")
    at_rest = _processor_ticks(engine)
    asking.start()
    while _processor_ticks(engine) < at_rest + 5 and asking.is_alive():
        time.sleep(0.005)
    os.kill(engine, signal.SIGSTOP)  # fast machines read such a page before anybody looks twice
    assert asking.is_alive(), "the page must still be at work"
    os.kill(engine, signal.SIGKILL)
    asking.join(240)
    assert answers and answers[0].status_code == 200
    assert cer(page.text, answers[0].json()["text"]) <= 0.02
    assert station.pids("engine") not in ([], [engine])
    assert 'ocr_engine_restarts_total{engine="rapidocr"} 1.0' in station.http.get("/metrics").text


def test_both_ports_are_served_and_milestones_told(station: Station) -> None:
    assert httpx.get(f"http://127.0.0.1:{station.ui_port}/", trust_env=False).status_code == 200
    told = [line.split()[1] for line in station.milestones.read_text().splitlines() if line]
    assert sorted(told) == ["engine-ready", "gateway-ready"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running_when_the_supervisor_ends(tmp_path: Path, number: signal.Signals) -> None:
    with running_station(tmp_path) as station:
        children = station.pids("engine") + station.pids("gateway")
        assert len(children) == 2
        station.supervisor.send_signal(number)
        station.supervisor.wait(30)
        deadline = time.monotonic() + 10
        while any(Path(f"/proc/{pid}/cmdline").is_file() and _alive(pid) for pid in children):
            assert time.monotonic() < deadline, "a child outlived the supervisor"
            time.sleep(0.1)


def _processor_ticks(pid: int) -> int:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(words[11]) + int(words[12])


def _alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
