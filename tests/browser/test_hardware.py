"""A machine that lacks something says so on a page of its own, and the station goes on reading."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from runtime.hardware.facts import Facts
from runtime.hardware.ladder import judge
from tests.browser.conftest import Watched
from tests.browser.station import Station, short
from tests.unit.hardware.test_ladder import CASES, LADDER


def wait_until_told(station: Station, codes: list[str]) -> None:
    """The station looks at the report once a second."""
    deadline = time.monotonic() + 60
    while True:
        troubles = station.state()["troubles"]
        assert isinstance(troubles, dict)
        if [trouble["code"] for trouble in troubles["list"]] == codes:
            return
        assert time.monotonic() < deadline, troubles
        time.sleep(0.1)


@pytest.fixture
def without_a_card(station: Station) -> Iterator[Station]:
    """The report that runtime.hardware writes on a machine without a card, little memory and all."""
    report = judge(Facts(ram_bytes=4_000_000_000, has_model=True), LADDER).as_json({})
    station.hardware.write_text(json.dumps(report))
    wait_until_told(station, [trouble["code"] for trouble in report["troubles"]])
    station.post("trouble/show")
    yield station
    station.hardware.write_text(json.dumps({"parts": {}, "troubles": []}))
    wait_until_told(station, [])


def test_a_missing_card_is_told_and_the_station_reads_on(kiosk: Watched, without_a_card: Station) -> None:
    kiosk.shows("trouble")
    kiosk.sees("没有 NVIDIA 显卡")
    kiosk.sees("NO-NVIDIA-CARD")
    kiosk.sees("rapidocr")
    kiosk.picture("hardware-trouble-chinese")
    kiosk.press("l")
    kiosk.sees("No NVIDIA GPU")
    kiosk.sees("The station still reads, with: rapidocr.")
    kiosk.picture("hardware-trouble-english")
    kiosk.press("Enter")
    kiosk.shows("insert")
    without_a_card.plug_in("STICK", {"a.png": short()})
    kiosk.page.wait_for_selector("#files li")
    kiosk.press("Enter")
    kiosk.shows("review", timeout_s=90)
    kiosk.page.wait_for_selector("#lines li")


def test_what_was_acknowledged_can_be_seen_again(kiosk: Watched, without_a_card: Station) -> None:
    kiosk.shows("trouble")
    kiosk.press("Enter")
    kiosk.shows("insert")
    kiosk.press("t")
    kiosk.shows("trouble")
    kiosk.press("Enter")
    kiosk.shows("insert")


@pytest.mark.parametrize("case", ["wrong key", "newer than the driver, by its list", "little card memory"])
def test_a_trouble_that_comes_later_is_shown_too(kiosk: Watched, without_a_card: Station, case: str) -> None:
    kiosk.shows("trouble")
    kiosk.press("Enter")
    kiosk.shows("insert")
    verdict = judge(CASES[case][0], LADDER)
    without_a_card.hardware.write_text(json.dumps(verdict.as_json({})))
    kiosk.shows("trouble")
    kiosk.sees(verdict.troubles[0].code)
    kiosk.press("Enter")
    kiosk.shows("insert")


def test_the_about_page_shows_the_models_terms(kiosk: Watched) -> None:
    kiosk.shows("insert")
    kiosk.press("?", "i")
    kiosk.page.wait_for_selector("dialog#about[open]")
    kiosk.sees("HunyuanOCR 1.0")
    kiosk.sees("tencent-hunyuan-community")
    kiosk.sees("随机权重")
    assert "Territory" in kiosk.page.locator("#about-texts").inner_text()
    kiosk.picture("about")
    kiosk.press("Enter")
    kiosk.page.wait_for_selector("dialog#about", state="hidden")


def ask_for_keys(kiosk: Watched) -> None:
    kiosk.press("?", "i")
    kiosk.page.wait_for_selector("dialog#about[open]")
    kiosk.press("k")


def test_the_first_keys_are_shown_once_and_let_a_program_in(kiosk: Watched, station: Station) -> None:
    kiosk.shows("insert")
    ask_for_keys(kiosk)
    kiosk.page.wait_for_selector("dialog#first-keys[open]")
    key = kiosk.page.locator("#first-keys-list code").first.inner_text()
    kiosk.picture("first-keys")
    assert httpx.get(f"{station.api}/v1/capacity").status_code == 401
    assert httpx.get(f"{station.api}/v1/capacity", headers={"X-Api-Key": key}).status_code == 200
    kiosk.press("Escape")
    ask_for_keys(kiosk)
    kiosk.page.wait_for_selector("dialog#tell[open]")
    kiosk.sees("密钥已经显示过")
    kiosk.press("Enter")
