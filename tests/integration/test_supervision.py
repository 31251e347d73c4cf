"""Engines that die, hang, stand still and grow, as real processes: no page is lost, and the queue goes on."""

from __future__ import annotations

import io
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.fixtures.faulty_station import FLOODS, GROWS, HANGS, KILLS, MODULE, STOPS
from tests.integration.station import Station, running_station
from tests.pages.cer import cer
from tests.pages.render import render

PATIENCE_S = 300.0
_QUICK = {"least_stall_s": 10, "most_stall_s": 30, "answer_s": 20}
"""Sooner than on a station, and later than a busy machine is slow."""
_MIB = 1 << 20


@contextmanager
def station_of(folder: Path, *ladder: str, parallel: int = 1, **supervision: int) -> Iterator[Station]:
    engines = [
        {"name": name, "threads": 1, "parallel": parallel, "supervision": {**_QUICK, **supervision}} for name in ladder
    ]
    with running_station(folder, engines=engines, program=MODULE) as station:
        yield station


def page(fault: int | None = None) -> bytes:
    image = render("note").image.copy()
    if fault is not None:
        image.putpixel((0, 0), (255, 0, fault))
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


def send(station: Station, data: bytes) -> httpx.Response:
    with httpx.Client(base_url=station.http.base_url, timeout=600, trust_env=False) as http:
        return http.post("/ocr?detail=full&task=text", files={"file": ("page.png", data)})


def assert_read(answer: httpx.Response, engine: str) -> None:
    assert answer.status_code == 200, answer.text
    assert answer.json()["engine"]["name"] == engine
    assert cer(render("note").text, answer.json()["text"]) <= 0.02


def wait_until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.2)


def figure(station: Station, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", station.http.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def log_of(station: Station) -> str:
    return (station.milestones.parent / "log").read_text(errors="replace")


@pytest.mark.parametrize(
    ("fault", "why"),
    [(KILLS, "faulty stopped"), (HANGS, "faulty hung"), (STOPS, "faulty"), (FLOODS, "faulty stopped")],
)
def test_a_page_that_brings_the_engine_down_twice_is_set_aside_and_the_next_is_read(
    tmp_path: Path, fault: int, why: str
) -> None:
    with station_of(tmp_path, "faulty", memory_bytes=1500 * _MIB) as station:
        (engine,) = station.pids(MODULE)
        assert_read(send(station, page()), "faulty")
        waiting: list[httpx.Response] = []
        poison = threading.Thread(target=lambda: waiting.append(send(station, page(fault))))
        poison.start()
        # A page that kills at once may be through with it before anybody looks.
        wait_until(lambda: waiting or figure(station, "ocr_inflight") == 1, "the page is in hand")
        after = send(station, page())
        poison.join(PATIENCE_S)
        assert_read(after, "faulty")
        document = waiting[0].json()
        assert (waiting[0].status_code, document["code"]) == (422, "page-set-aside")
        assert why in document["detail"] and document["detail"].count("faulty") == 2
        assert figure(station, 'ocr_engine_restarts_total{engine="faulty"}') == 2
        assert station.pids(MODULE) != [engine]


def test_a_job_goes_on_without_the_page_that_kills(tmp_path: Path) -> None:
    with station_of(tmp_path, "faulty") as station:
        files = [("file", (f"{number}.png", page(KILLS if number == 1 else None))) for number in range(3)]
        job = station.http.post("/v1/jobs?task=text", files=files).json()
        wait_until(lambda: station.http.get(job["status_url"]).json()["state"] == "done", "the job is done")
        pages = station.http.get(job["result_url"]).json()["pages"]
        assert [each["failure"] and each["failure"]["code"] for each in pages] == [None, "page-set-aside", None]


def test_a_page_that_hangs_one_engine_is_read_by_the_next_on_the_ladder(tmp_path: Path) -> None:
    """No supervisor ends the engine here, nor can it end itself: the gateway alone must find out."""
    with station_of(tmp_path, "faulty", "rapidocr", answer_s=100_000) as station:
        wait_until(lambda: station.http.get("/readyz").json().get("engines") == ["faulty", "rapidocr"], "both ready")
        (stopped,) = (pid for pid in station.pids(MODULE) if b"faulty" in _words(pid))
        assert_read(send(station, page(STOPS)), "rapidocr")
        assert figure(station, 'ocr_engine_hangs_total{engine="faulty"}') == 1
        assert_read(send(station, page()), "rapidocr")
        os.kill(stopped, signal.SIGKILL)
        wait_until(lambda: figure(station, 'ocr_engine_ready{engine="faulty"}') == 1, "it is back")
        assert_read(send(station, page()), "faulty")


def _words(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def test_a_hung_engine_says_where_before_it_ends(tmp_path: Path) -> None:
    with station_of(tmp_path, "faulty", "rapidocr") as station:
        wait_until(lambda: station.http.get("/readyz").json().get("engines") == ["faulty", "rapidocr"], "both ready")
        assert_read(send(station, page(HANGS)), "rapidocr")
        assert "the work in hand has not come on" in log_of(station)
        assert "faulty_station.py" in log_of(station), "the stack of the thread that hangs"


def test_an_engine_that_has_grown_is_started_anew_between_pages(tmp_path: Path) -> None:
    with station_of(tmp_path, "faulty", recycle_bytes=1500 * _MIB, recycle_pages=2) as station:
        (first,) = station.pids(MODULE)
        for _ in range(8):
            assert_read(send(station, page(GROWS)), "faulty")
        wait_until(lambda: figure(station, 'ocr_engine_recycles_total{engine="faulty"}') >= 1, "it is recycled")
        wait_until(lambda: station.pids(MODULE) not in ([], [first]), "it is started anew")
        assert_read(send(station, page()), "faulty")
        assert "page-set-aside" not in log_of(station)


def test_several_workers_read_each_with_an_instance_of_its_own(tmp_path: Path) -> None:
    with station_of(tmp_path, "faulty", parallel=3) as station:
        answers: list[httpx.Response] = []
        senders = [threading.Thread(target=lambda: answers.append(send(station, page()))) for _ in range(9)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(PATIENCE_S)
        assert len(answers) == 9
        for answer in answers:
            assert_read(answer, "faulty")


def test_pages_beside_the_one_that_kills_are_all_read(tmp_path: Path) -> None:
    with station_of(tmp_path, "faulty", parallel=3) as station:
        answers: dict[int, httpx.Response] = {}

        def one(number: int) -> None:
            answers[number] = send(station, page(KILLS if number == 4 else None))

        senders = [threading.Thread(target=one, args=(number,)) for number in range(9)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(PATIENCE_S)
        assert answers.pop(4).json()["code"] == "page-set-aside"
        assert len(answers) == 8
        for answer in answers.values():
            assert_read(answer, "faulty")
