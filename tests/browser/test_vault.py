"""A vault made, unlocked, pulled out and put back by the clerk; what was read is there again."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Watched
from tests.browser.station import Station, short

pytestmark = pytest.mark.full

PASSPHRASE = "lan-hai-yun-7431"
OTHER = "hong-shan-shu-9052"
VAULT_S = 60


def _make(kiosk: Watched, station: Station, name: str = "VAULT") -> str:
    """On a stick of its own, by keyboard; the recovery key."""
    station.plug_in(name, {"old.txt": b"lost"})
    kiosk.page.wait_for_selector("#vault-button:not([hidden])")
    kiosk.shows("list")
    kiosk.press("v")
    kiosk.sees("没有保险库")
    kiosk.page.wait_for_selector('#vault [data-do="vault-make"]:not([hidden])')
    kiosk.press("m")
    kiosk.page.wait_for_selector("#vault-make[open]")
    assert kiosk.page.evaluate("document.activeElement.id") == "vault-new"
    kiosk.page.keyboard.type("12345678")
    kiosk.sees("太弱")
    kiosk.picture("vault-make-weak")
    kiosk.press("Control+a")
    kiosk.page.keyboard.type(PASSPHRASE)
    kiosk.page.wait_for_selector('#vault-bar[data-word="strong"], #vault-bar[data-word="good"]')
    kiosk.press("Tab", "Tab")
    kiosk.page.keyboard.type(PASSPHRASE)
    assert kiosk.page.locator("#vault-make-go").is_disabled(), "a stick is erased only once its code was typed"
    code = re.search(r"\d{4}", kiosk.page.locator("#vault-erases").inner_text())
    assert code is not None
    kiosk.press("Tab", "Tab", "Tab")
    kiosk.page.keyboard.type(code[0])
    kiosk.picture("vault-make")
    kiosk.page.wait_for_selector("#vault-make-go:not([disabled])")
    kiosk.press("Enter")
    kiosk.page.wait_for_selector("#vault-key[open]", timeout=VAULT_S * 1000)
    kiosk.page.wait_for_selector("#vault-key-code svg path")
    kiosk.picture("vault-recovery-key")
    key = kiosk.page.locator("#vault-key-text").inner_text().replace(" ", "").replace("\n", "-")
    kiosk.press("y")
    kiosk.sees("保险库已打开")
    kiosk.picture("vault-open")
    kiosk.press("Escape")
    return key


def _unlock(kiosk: Watched, secret: str = PASSPHRASE) -> None:
    kiosk.page.wait_for_selector("#vault-unlock[open]", timeout=VAULT_S * 1000)
    kiosk.page.keyboard.type(secret)
    kiosk.press("Enter")
    kiosk.page.wait_for_selector('#vault-button[data-state="open"]', timeout=VAULT_S * 1000)
    kiosk.page.wait_for_selector("#vault-unlock", state="hidden")


def _read(kiosk: Watched, station: Station, name: str, files: dict[str, bytes]) -> None:
    station.plug_in(name, files)
    kiosk.page.wait_for_selector("#files li")
    kiosk.press("a", "Enter")
    kiosk.shows("review", timeout_s=180)


def _kept(stick: Path, pages: int) -> list[Path]:
    """The records of pages in a vault, once there are so many; and no half file beside them."""
    deadline = time.monotonic() + VAULT_S
    while True:
        found = [path for path in stick.glob(".inkstick-vault/content/history/*/*.json") if path.name != "batch.json"]
        if len(found) == pages:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def _is_told_by_the_stations_zone(kiosk: Watched) -> None:
    """As the gateway tells it; the browser's own zone is the machine's."""
    zone = "Pacific/Kiritimati"
    seen: list[datetime] = []

    def elsewhere(route: Route) -> None:
        told = route.fetch().json()
        seen.extend(datetime.fromtimestamp(batch["at"], ZoneInfo(zone)) for batch in told["batches"])
        route.fulfill(json={**told, "zone": zone})

    history = re.compile(r"/kiosk/vault/history\?")
    kiosk.page.route(history, elsewhere)
    kiosk.page.fill("#vault-search", "合")
    deadline = time.monotonic() + VAULT_S
    while not seen:
        assert time.monotonic() < deadline
        kiosk.page.wait_for_timeout(100)
    told = kiosk.page.locator("#vault-batches small")
    expect(told).to_contain_text(seen[0].strftime("%H:%M"), timeout=VAULT_S * 1000)
    kiosk.page.unroute(history)


def test_what_was_read_and_corrected_is_there_after_lock_and_unlock(kiosk: Watched, station: Station) -> None:
    key = _make(kiosk, station)
    stick = station.sticks / "VAULT"
    assert not (stick / "old.txt").exists()
    _read(kiosk, station, "SCANS", {"合同.png": short()})
    kiosk.page.wait_for_selector("#lines li")
    record = _kept(stick, 1)[0]
    station.post("pages/0/edit", {"target": "line:0", "text": "A corrected line"})
    deadline = time.monotonic() + VAULT_S
    while not json.loads(record.read_bytes())["edits"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    kiosk.press("v", "x")
    kiosk.page.wait_for_selector('#vault-button[data-state="locked"]')
    station.post("read/close")
    station.pull("SCANS")
    kiosk.shows("insert")
    kiosk.sees("保险库已锁上")
    kiosk.picture("vault-locked")
    kiosk.page.get_by_role("button", name="解锁", exact=True).click()
    kiosk.page.wait_for_selector("#vault-unlock[open]")
    kiosk.page.keyboard.type("not the passphrase")
    kiosk.press("Enter")
    kiosk.sees("口令不对")
    kiosk.picture("vault-wrong")
    refused = [each for each in kiosk.complaints if "status of 403" in each]
    assert len(refused) == 1
    kiosk.complaints.remove(refused[0])
    kiosk.page.fill("#vault-passphrase", "")
    _unlock(kiosk, key.lower())  # the recovery key opens it as well, however it is typed
    kiosk.press("v", "h")
    kiosk.page.wait_for_selector("#vault-batches li")
    kiosk.page.keyboard.type("合同")
    kiosk.page.wait_for_selector("#vault-batches li")
    kiosk.picture("vault-history")
    _is_told_by_the_stations_zone(kiosk)
    kiosk.page.fill("#vault-search", "nothing like it")
    kiosk.sees("没有找到记录")
    kiosk.page.fill("#vault-search", "")
    kiosk.page.get_by_role("button", name="打开", exact=True).click()
    kiosk.shows("review")
    kiosk.sees("合同.png")
    kiosk.sees("A corrected line")
    kiosk.picture("vault-opened-again")


def test_a_vault_pulled_out_loses_nothing_and_opens_again(kiosk: Watched, station: Station) -> None:
    _make(kiosk, station)
    _read(kiosk, station, "SCANS", {"1.png": short()})
    _kept(station.sticks / "VAULT", 1)
    station.pull("VAULT")
    kiosk.page.wait_for_selector('#vault-button[data-state="gone"]')
    kiosk.sees("保险库已被拔出")
    station.post("pages/0/edit", {"target": "line:0", "text": "Written while it was away"})
    kiosk.sees("还有 1 页暂存于内存")
    kiosk.picture("vault-gone")
    station.put_back("VAULT")
    _unlock(kiosk)
    deadline = time.monotonic() + VAULT_S
    while "while it was away" not in _kept(station.sticks / "VAULT", 1)[0].read_text():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    kiosk.page.wait_for_selector("#vault-gone", state="hidden")


def test_a_vault_that_is_plugged_in_is_offered_but_not_the_one_that_was_just_locked(
    kiosk: Watched, station: Station
) -> None:
    _make(kiosk, station)
    name = "VAULT"
    for again in ("VAULT-2", "VAULT-3"):  # a stick that is plugged in again is a new one to the station
        kiosk.press("v", "x")
        kiosk.page.wait_for_selector('#vault-button[data-state="locked"]')
        kiosk.page.wait_for_selector("#vault[open]")
        kiosk.press("Escape")
        assert not kiosk.page.locator("#vault-unlock[open]").count()
        pulled = station.pull(name)
        station.wait_until(lambda state: not state["vault"]["vaults"])
        pulled.rename(station.drawer / again)
        station.put_back(name := again)
        _unlock(kiosk)


def test_a_batch_is_deleted_from_the_vault_itself(kiosk: Watched, station: Station) -> None:
    _make(kiosk, station)
    _read(kiosk, station, "SCANS", {"1.png": short()})
    _kept(station.sticks / "VAULT", 1)
    kiosk.press("v", "h")
    kiosk.page.get_by_role("button", name="删除", exact=True).click()
    kiosk.sees("从历史记录中删除这一批")
    kiosk.picture("vault-delete")
    kiosk.press("d")
    kiosk.sees("没有找到记录")
    _kept(station.sticks / "VAULT", 0)


def test_a_changed_passphrase_and_a_destroyed_vault(kiosk: Watched, station: Station) -> None:
    _make(kiosk, station)
    kiosk.press("v", "c")
    kiosk.page.fill("#vault-old", PASSPHRASE)
    kiosk.page.fill("#vault-changed", OTHER)
    kiosk.page.fill("#vault-changed-again", OTHER)
    kiosk.page.wait_for_selector("#vault-change-go:not([disabled])")
    kiosk.picture("vault-change")
    kiosk.page.locator("#vault-change-go").click()
    kiosk.sees("保险库已打开", timeout_s=VAULT_S)
    kiosk.press("x")
    kiosk.page.wait_for_selector('#vault-button[data-state="locked"]')
    kiosk.page.get_by_role("button", name="解锁", exact=True).click()
    _unlock(kiosk, OTHER)
    kiosk.press("v", "x")
    kiosk.page.wait_for_selector('#vault-button[data-state="locked"]')
    kiosk.page.get_by_role("button", name="销毁", exact=True).click()
    code = re.search(r"\d{4}", kiosk.page.locator("#vault-erase-code").inner_text())
    assert code is not None
    kiosk.page.keyboard.type(code[0])
    kiosk.picture("vault-erase")
    kiosk.page.locator("#vault-erase-go").click()
    kiosk.sees("没有保险库", timeout_s=VAULT_S)
    assert not (station.sticks / "VAULT" / ".inkstick-vault").exists()


@pytest.mark.parametrize("kiosk", [(1024, 768)], indirect=True)
def test_the_vault_fits_a_small_screen_in_english(kiosk: Watched, station: Station) -> None:
    station.post("language", {"language": "en"})
    kiosk.page.wait_for_selector('html[lang="en"]')
    station.plug_in("STICK", {})
    kiosk.page.wait_for_selector("#vault-button:not([hidden])")
    kiosk.picture("vault-header-small")
    kiosk.press("v")
    kiosk.sees("There is no vault")
    kiosk.picture("vault-none-small")
    kiosk.page.wait_for_selector('#vault [data-do="vault-make"]:not([hidden])')
    kiosk.press("m")
    kiosk.page.wait_for_selector("#vault-make[open]")
    kiosk.page.keyboard.type("correct horse battery")
    kiosk.sees("strong")
    kiosk.picture("vault-make-small")
    dialog = kiosk.page.locator("#vault-make")
    assert dialog.evaluate("each => each.scrollHeight <= each.clientHeight + 1"), "nothing is out of sight"
    answers = dialog.locator(".actions").bounding_box()
    offer = kiosk.page.locator("#keyboard-show").bounding_box()
    assert answers and offer and offer["y"] + offer["height"] < answers["y"]  # it lies over no answer
    station.post("language", {"language": "zh"})
    kiosk.page.wait_for_selector('html[lang="zh-CN"]')
    for each in ("#vault-places label", "#vault-strength", "#vault-erases span"):
        assert re.search("[a-z]", dialog.locator(each).inner_text()) is None
