"""The first minutes and the last: the station getting ready, a code for whoever mends it, and what it forgets."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from runtime.hardware.facts import Facts
from runtime.hardware.ladder import judge
from tests.browser import station as stations
from tests.browser.conftest import Watched, watching
from tests.browser.station import Station, short
from tests.browser.test_admin import MARKER, marked
from tests.unit.hardware.test_ladder import LADDER

LONG_MS = 90_000
NOTHING_WRONG = json.dumps({"parts": {"rapidocr": "start"}, "troubles": []})


@pytest.fixture(scope="module")
def running_station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """That forgets soon, and reads its smallest golden page at the start."""
    running = stations.start(
        tmp_path_factory.mktemp("station"),
        forgetting={"idle_s": 14, "warn_s": 12},
        selftest={"at_start": True},
    )
    running.hardware.write_text(NOTHING_WRONG)
    yield running
    stations.stop(running)


def read_marker(kiosk: Watched, station: Station, *, save: bool) -> None:
    station.plug_in("STICK", {"page.png": marked()})
    kiosk.page.wait_for_selector("#files li")
    kiosk.press("Enter")
    kiosk.shows("review", timeout_s=90)
    kiosk.sees("Zanzibar", timeout_s=60)
    if save:
        kiosk.press("s")
        kiosk.shows("saved")


@contextmanager
def engine_held(station: Station) -> Iterator[None]:
    """The engine is killed, and the one that follows it stands still while it loads."""
    first = station.engine()
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while (fresh := station.engine()) == first:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(fresh, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(fresh, signal.SIGCONT)


def pages(station: Station) -> list[object]:
    with urllib.request.urlopen(f"{station.url}/kiosk/pages", timeout=30) as answer:
        found: list[object] = json.load(answer)["pages"]
        return found


@pytest.mark.parametrize("size", [(1280, 800), (1024, 768)])
def test_the_first_screen_says_what_this_machine_turned_out_to_be(
    station: Station, browser: Browser, size: tuple[int, int]
) -> None:
    with watching(station, browser, size) as kiosk:
        kiosk.shows("insert")
        steps = kiosk.page.locator("#start-steps li")
        expect(steps).to_have_count(5, timeout=LONG_MS)
        for name in ("system", "page", "hardware", "engine", "selftest"):
            step = kiosk.page.locator(f'#start-steps li[data-step="{name}"]')
            expect(step).to_have_attribute("data-state", "done", timeout=LONG_MS)
        expect(kiosk.page.locator("#start-now")).to_contain_text("rapidocr")
        expect(kiosk.page.locator("#start-now")).to_contain_text("自检通过（1 页）")
        expect(kiosk.page.locator("#start-now")).to_contain_text("字错率")
        kiosk.picture(f"start-ready-zh-{size[0]}")
        kiosk.press("l")
        expect(kiosk.page.locator("#start-now")).to_contain_text("self-test passed")
        kiosk.picture(f"start-ready-en-{size[0]}")
        kiosk.press("l")


def test_while_the_engine_loads_a_stick_can_be_chosen_from(station: Station, browser: Browser) -> None:
    """The engine is stopped: the station says that it loads, and since when, and the list is there all the same."""
    with watching(station, browser, (1280, 800)) as kiosk, engine_held(station):
        kiosk.sees("识别引擎正在启动", timeout_s=60)
        expect(kiosk.page.locator("#start-now")).to_contain_text("现在就可以插入 U 盘", timeout=LONG_MS)
        expect(kiosk.page.locator('#start-steps li[data-step="engine"]')).to_have_attribute("data-state", "running")
        kiosk.picture("start-loading-zh")
        station.plug_in("STICK", {"a.png": short()})
        kiosk.shows("list")
        kiosk.page.wait_for_selector("#files li")
    deadline = time.monotonic() + 120
    while True:
        engine = station.state()["engine"]
        assert isinstance(engine, dict)
        if engine["state"] == "ready":
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_trouble_pages_code_is_read_off_the_screen(station: Station, browser: Browser) -> None:
    report = judge(Facts(ram_bytes=4_000_000_000, has_model=True), LADDER).as_json({})
    station.hardware.write_text(json.dumps(report))
    try:
        for size in ((1280, 800), (1024, 768)):
            with watching(station, browser, size) as kiosk:
                station.post("trouble/show")
                kiosk.shows("trouble")
                summary = kiosk.page.locator("#trouble-summary")
                expect(summary).to_contain_text("code NO-NVIDIA-CARD")
                expect(summary).to_contain_text("INKSTICK 0.1.0 demo")
                code = kiosk.page.locator("#trouble-code")
                kiosk.page.wait_for_timeout(500)
                kiosk.picture(f"trouble-code-{size[0]}")
                shot = cv2.imdecode(np.frombuffer(code.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
                assert shot is not None
                larger = cv2.resize(shot, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
                told = str(cv2.QRCodeDetectorAruco().detectAndDecode(larger)[0])
                assert told == summary.inner_text()
                assert "RAM-TOO-SMALL" in told and "kernel " in told
                kiosk.press("Enter")
                kiosk.shows("insert")
    finally:
        station.hardware.write_text(NOTHING_WRONG)


def test_a_batch_is_forgotten_at_a_persons_word(kiosk: Watched, station: Station) -> None:
    read_marker(kiosk, station, save=False)
    kiosk.press("x")
    kiosk.page.wait_for_selector("dialog#ask-forget[open]")
    kiosk.sees("有结果尚未保存")
    kiosk.picture("forget-zh")
    kiosk.press("Enter")
    kiosk.page.wait_for_selector("dialog#ask-forget", state="hidden")
    assert len(pages(station)) == 1
    kiosk.press("x", "d")
    kiosk.shows("list")
    assert pages(station) == []
    assert MARKER.split()[0] not in kiosk.page.content()
    assert kiosk.page.locator("#has-batch").is_hidden()


def test_a_saved_batch_is_counted_down_kept_by_a_touch_and_then_forgotten(kiosk: Watched, station: Station) -> None:
    read_marker(kiosk, station, save=True)
    kiosk.press("Escape")
    kiosk.shows("review")
    kiosk.page.wait_for_selector("dialog#idle[open]", timeout=LONG_MS)
    expect(kiosk.page.locator("#idle-left")).to_contain_text("秒后将清除")
    kiosk.picture("idle-zh")
    kiosk.press("Enter")
    kiosk.page.wait_for_selector("dialog#idle", state="hidden", timeout=LONG_MS)
    assert len(pages(station)) == 1
    kiosk.sees("已从本机清除", timeout_s=90)
    assert pages(station) == []
    assert (station.sticks / "STICK/Inkstick/page.txt").is_file()
    kiosk.picture("forgotten-zh")


def test_an_unsaved_batch_is_covered_and_stays(kiosk: Watched, station: Station) -> None:
    read_marker(kiosk, station, save=False)
    kiosk.page.wait_for_selector("dialog#covered[open]", timeout=LONG_MS)
    kiosk.picture("covered-zh")
    kiosk.page.reload()
    kiosk.page.wait_for_selector("dialog#covered[open]", timeout=LONG_MS)
    kiosk.page.mouse.move(300, 300)
    kiosk.press("Space", "Escape", "Escape", "s", "a")
    kiosk.page.wait_for_timeout(1500)
    assert not kiosk.page.locator("#review").is_visible()
    kiosk.press("x")
    kiosk.page.wait_for_selector("dialog#ask-forget[open]")
    assert not kiosk.page.locator("#review").is_visible()
    kiosk.press("Enter")
    kiosk.page.wait_for_selector("dialog#covered[open]")
    assert kiosk.page.locator("dialog#covered[open]").count() == 1
    assert len(pages(station)) == 1
    kiosk.press("Enter")
    kiosk.page.wait_for_selector("dialog#covered", state="hidden", timeout=LONG_MS)
    kiosk.shows("review")
    kiosk.sees("Zanzibar")
