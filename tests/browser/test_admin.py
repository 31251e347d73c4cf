"""The admin page, by the real gateway: PIN, charts, alerts, engines, self-test, keys, logs, bundle, clock."""

from __future__ import annotations

import io
import json
import re
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, expect

from tests.browser import station as stations
from tests.browser.conftest import Watched, watching
from tests.browser.station import Station, png, short
from tests.pages import fonts

PIN, OTHER_PIN = "271828", "161803"
LONG_MS = 90_000
MARKER = "Zanzibar quokka 90210"
OWN_RULE = {
    "name": "own-rule",
    "signal": "memory",
    "above": 0.0,
    "zh": "本站专用规则的对策。",
    "en": "What to do about the station's own rule.",
}


@pytest.fixture(scope="module")
def running_station(
    tmp_path_factory: pytest.TempPathFactory, clock_times: tuple[Path, list[float]]
) -> Iterator[Station]:
    """With a rule that always fires, a second engine that is not there, and the clock's helper."""
    folder = tmp_path_factory.mktemp("station")
    running = stations.start(
        folder,
        engines=[
            {"name": "rapidocr", "socket": str(folder / "engine.sock")},
            {"name": "transformers", "socket": str(folder / "none.sock")},
        ],
        alerts=[OWN_RULE],
        admin={"clock_socket": str(clock_times[0])},
    )
    yield running
    stations.stop(running)


def type_pin(admin: Watched, pin: str) -> None:
    admin.press(*pin, "Enter")


@pytest.fixture
def admin(station: Station, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """The page with the PIN given. The first of all tests here chooses it."""
    with watching(station, browser, getattr(request, "param", (1280, 800)), "/admin") as watched:
        come_in(watched)
        yield watched


def come_in(watched: Watched) -> None:
    watched.page.wait_for_selector("#pad button:not(:disabled)")
    type_pin(watched, PIN)
    if watched.page.locator("#door-title").inner_text() == "请再输入一次":
        type_pin(watched, PIN)
    watched.page.wait_for_selector("#desk:not([hidden])")


def panel(admin: Watched, number: int, name: str) -> None:
    admin.press(str(number))
    admin.page.wait_for_selector(f"#{name}:not([hidden])")


def test_the_first_visitor_chooses_a_pin_by_touch_and_both_times_the_same(station: Station, browser: Browser) -> None:
    with watching(station, browser, (1024, 768), "/admin", touch=True, expected="status of 422") as admin:
        admin.page.wait_for_selector("#pad button")
        if "设置" not in admin.page.locator("#door-title").inner_text():
            pytest.fail("this test comes first: the station's PIN is chosen already")
        admin.picture("admin-choose-1024")
        pad = admin.page.locator("#pad button")

        def tap(digits: str) -> None:
            for digit in digits:
                pad.get_by_text(digit, exact=True).tap()
            pad.get_by_text("↵", exact=True).tap()

        tap("1234")
        admin.sees("至少 6 位数字")
        for _ in range(4):
            pad.get_by_text("⌫", exact=True).tap()
        tap("123456")
        tap("123456")
        admin.sees("密码过于简单")
        tap(PIN)
        tap("314159")
        admin.sees("两次输入不一致")
        tap(PIN)
        tap(PIN)
        admin.page.wait_for_selector("#desk:not([hidden])")
        cookie = next(each for each in admin.page.context.cookies() if each["name"] == "inkstick_admin")
        assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
        assert admin.page.evaluate("document.cookie") == ""
        admin.press("q")
        admin.page.wait_for_selector("#door:not([hidden])")
        admin.sees("请输入管理密码")


def test_charts_have_data_after_pages_were_read_and_keep_it_for_who_comes_later(
    admin: Watched, station: Station
) -> None:
    for figure in ("latency_s", "pages_a_minute", "cpu", "memory", "queue"):
        place = admin.page.locator(f'figure[data-series="{figure}"] .plot')
        if figure == "latency_s":
            station.plug_in("STICK", {"1.png": short(), "2.png": short()})
            listed(station)
            station.post("read", {"revision": revision(station), "files": [0, 1]})
        expect(place).to_have_attribute("data-points", re.compile(r"[1-9]\d*"), timeout=LONG_MS)
        assert place.locator("canvas").count() == 1
    inked = admin.page.evaluate(
        """() => {
          const canvas = document.querySelector('figure[data-series="latency_s"] canvas');
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          return data.filter((value, place) => place % 4 === 3 && value > 0).length;
        }"""
    )
    assert inked > 500
    admin.picture("admin-overview-zh")
    admin.press("d", "h", "l")
    admin.sees("Pages per minute")
    admin.picture("admin-overview-en")
    admin.press("l")
    admin.page.reload()
    place = admin.page.locator('figure[data-series="latency_s"] .plot')
    expect(place).to_have_attribute("data-points", re.compile(r"[1-9]\d*"), timeout=LONG_MS)


def capacity(station: Station, key: str) -> int:
    """How a program with this key is answered."""
    return httpx.get(f"{station.api}/v1/capacity", headers={"X-Api-Key": key}).status_code


def marked() -> bytes:
    """A page with words that stand nowhere else."""
    page = Image.new("RGB", (1400, 300), "white")
    ImageDraw.Draw(page).text((60, 90), MARKER, fill="black", font=fonts.sans(90))
    return png(page)


def listed(station: Station) -> None:
    deadline = time.monotonic() + 60
    while count(station) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def count(station: Station) -> int | None:
    files = station.state()["files"]
    assert isinstance(files, dict)
    found: int | None = files["count"]
    return found


def revision(station: Station) -> int:
    files = station.state()["files"]
    assert isinstance(files, dict)
    found: int = files["revision"]
    return found


def test_an_alert_is_shown_with_its_remedy(admin: Watched, station: Station) -> None:
    panel(admin, 2, "alerts")
    admin.page.wait_for_selector("#firing li.warning")
    expect(admin.page.locator("#firing .remedy").first).to_have_text("本站专用规则的对策。")
    expect(admin.page.locator("#tab-alerts")).to_have_class(re.compile("alarm"))
    (rule,) = admin.page.locator('#rules tr[data-state="firing"]').all()
    expect(rule.locator("td").nth(2)).to_have_text(re.compile(r"^\d+\.\d %$"))
    expect(rule.locator("td").nth(3)).to_have_text("> 0.0 %")
    expect(admin.page.locator("#rules tr", has_text="识别缓慢").locator("td").nth(3)).to_have_text("> 120 s")
    admin.picture("admin-alerts-zh")
    admin.press("l")
    expect(admin.page.locator("#firing .remedy").first).to_have_text("What to do about the station's own rule.")
    admin.press("l")


def test_the_engines_are_listed_and_the_order_can_be_changed(admin: Watched, station: Station) -> None:
    panel(admin, 3, "engines")
    names = admin.page.locator("#ladder li[data-engine] h2")
    expect(names).to_have_text([re.compile(r"1\. rapidocr"), re.compile(r"2\. transformers")])
    second = admin.page.locator('#ladder li[data-engine="transformers"]')
    second.locator("button").click()
    expect(names).to_have_text([re.compile(r"1\. transformers"), re.compile(r"2\. rapidocr")])
    admin.picture("admin-engines-zh")
    expect(admin.page.locator("#ladder li.reads h2")).to_contain_text("rapidocr")  # the other is not running
    admin.page.locator('#ladder li[data-engine="rapidocr"] button').click()
    expect(names).to_have_text([re.compile(r"1\. rapidocr"), re.compile(r"2\. transformers")])


def test_a_self_test_runs_from_the_page(admin: Watched, station: Station) -> None:
    station.post("painted")  # no test waits for nobody to have seen the station's own page
    panel(admin, 4, "tests")
    admin.press("t")
    row = admin.page.locator("#test-runs tbody tr").first
    expect(row).to_have_attribute("data-outcome", re.compile("passed|failed"), timeout=240_000)
    expect(row).to_contain_text("rapidocr")
    assert re.search(r"\d+\.\d %", row.inner_text())
    admin.picture("admin-tests-zh")


def test_keys_are_made_shown_once_and_revoked(admin: Watched, station: Station) -> None:
    panel(admin, 5, "keys")
    admin.page.wait_for_selector("#key-list tr[data-revoked]")  # the first keys, too, are shown by now
    fresh = admin.page.locator("#fresh-keys code")
    shown = fresh.count()
    admin.press("o")
    expect(fresh).to_have_count(shown + 1, timeout=LONG_MS)
    fresh = fresh.last
    admin.picture("admin-keys-zh")
    key = fresh.inner_text()
    assert capacity(station, key) == 200
    scope = admin.page.locator("#fresh-keys dt span").last
    expect(scope).to_have_text("识别")
    admin.press("l")
    expect(scope).to_have_text("read pages")
    assert fresh.inner_text() == key
    admin.press("l")
    expect(scope).to_have_text("识别")
    panel(admin, 4, "tests")
    panel(admin, 5, "keys")
    assert key not in admin.page.content()
    admin.page.locator('#key-list tr[data-revoked="false"] button').last.click()
    expect(admin.page.locator("#key-list tr").last).to_have_attribute("data-revoked", "true")
    assert capacity(station, key) == 401


def test_the_bundle_goes_to_the_stick_and_holds_nothing_that_was_read(admin: Watched, station: Station) -> None:
    station.plug_in("BUNDLE", {"secret-name.png": marked()})
    listed(station)
    station.post("read", {"revision": revision(station), "files": [0]})
    deadline = time.monotonic() + 90
    while station.state()["screen"] != "review":
        assert time.monotonic() < deadline, station.state()
        time.sleep(0.2)
    with urllib.request.urlopen(f"{station.url}/kiosk/pages/0", timeout=30) as answer:
        assert MARKER in json.loads(answer.read())["lines"][0]["text"]
    panel(admin, 6, "logs")
    admin.page.wait_for_selector("#lines tr")
    admin.picture("admin-logs-zh")
    admin.page.locator('#bundle-to button[data-stick="BUNDLE"]').click()
    admin.sees("可以拔出 U 盘")
    admin.picture("admin-bundle-zh")
    (file,) = (station.sticks / "BUNDLE/Inkstick").glob("inkstick-diagnostics-*.zip")
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as packed:
        content = {name: packed.read(name) for name in packed.namelist()}
    assert set(content) >= {
        *("README.txt", "summary.txt", "hardware.json", "alerts.json", "engines.json", "selftest.json"),
        *("history.json", "metrics.txt", "log.jsonl", "versions.json"),
    }
    everything = b"\n".join(content.values())
    for word in (b"Zanzibar", b"quokka", b"90210", b"secret-name", b"ink_", b"scrypt"):
        assert word not in everything, word
    assert b"ocr_pages_total" in content["metrics.txt"]
    assert json.loads(content["engines.json"])["engines"][0]["name"] == "rapidocr"
    assert content["log.jsonl"].count(b"\n") > 3


def test_the_log_is_filtered_by_level_and_words(admin: Watched) -> None:
    panel(admin, 6, "logs")
    rows = admin.page.locator("#lines tr")
    rows.first.wait_for()
    admin.page.locator("#log-words").fill("管理没有这样的词")
    expect(rows).to_have_count(0)
    admin.page.locator("#log-words").fill("PIN for the admin page")
    expect(rows.first).to_contain_text("PIN for the admin page")


def test_the_clock_is_set_through_its_helper(admin: Watched, clock_times: tuple[Path, list[float]]) -> None:
    panel(admin, 7, "clock")
    admin.page.locator("#zones button", has_text="Asia/Shanghai").click()
    admin.press("z")
    admin.sees("时区已更改")
    admin.page.locator("#clock-year").fill("2031")
    admin.page.locator("#clock-month").fill("2")
    admin.page.locator("#clock-day").fill("3")
    admin.picture("admin-clock-zh")
    admin.page.locator("#clock-day").press("Escape")
    admin.page.locator('[data-do="set-clock"]').click()
    admin.sees("主板时钟也已写入")
    (asked,) = clock_times[1]
    face = time.strftime("%Y-%m-%d", time.gmtime(asked + 8 * 3600))
    assert face == "2031-02-03"


def test_a_date_that_cannot_be_is_refused(
    station: Station, browser: Browser, clock_times: tuple[Path, list[float]]
) -> None:
    before = len(clock_times[1])
    with watching(station, browser, (1280, 800), "/admin", expected="status of 422") as admin:
        come_in(admin)
        panel(admin, 7, "clock")
        admin.page.wait_for_selector("#clock-month")
        admin.page.locator("#clock-month").fill("2")
        admin.page.locator("#clock-day").fill("30")
        admin.page.locator('[data-do="set-clock"]').click()
        admin.page.wait_for_selector("dialog#tell[open]")
    assert len(clock_times[1]) == before


@pytest.mark.parametrize("admin", [(1280, 800), (1024, 768)], indirect=True)
def test_network_and_power_say_what_is_so(admin: Watched) -> None:
    panel(admin, 8, "network")
    admin.page.wait_for_selector("#interfaces tbody tr")
    admin.sees("本机回环")
    panel(admin, 9, "power")
    admin.sees("不是独立的一体机")
    admin.picture(f"admin-power-{admin.page.viewport_size['width'] if admin.page.viewport_size else 0}")


@pytest.mark.parametrize("admin", [(1024, 768)], indirect=True)
def test_the_pin_is_changed_by_who_knows_the_old_one(admin: Watched, station: Station, browser: Browser) -> None:
    """And changed back: the other tests know the first."""
    for old, new in ((PIN, OTHER_PIN), (OTHER_PIN, PIN)):
        admin.press("w")
        admin.sees("请输入现在的密码")
        type_pin(admin, old)
        admin.sees("请设置管理密码")
        type_pin(admin, new)
        admin.sees("请再输入一次")
        type_pin(admin, new)
        admin.page.wait_for_selector("#pin-changed[open]", timeout=LONG_MS)
        admin.picture("admin-pin-changed")
        admin.press("Enter")
        with watching(station, browser, (1280, 800), "/admin") as other:
            other.page.wait_for_selector("#pad button:not(:disabled)")
            type_pin(other, new)
            other.page.wait_for_selector("#desk:not([hidden])", timeout=LONG_MS)


def test_a_pin_stays_where_the_old_one_is_wrong_or_nobody_goes_on(station: Station, browser: Browser) -> None:
    with watching(station, browser, (1280, 800), "/admin", expected="status of 403") as admin:
        come_in(admin)
        admin.press("w")
        for pin in ("999998", OTHER_PIN, OTHER_PIN):
            type_pin(admin, pin)
        admin.sees("密码不正确")
        admin.sees("请输入现在的密码")
        admin.picture("admin-change-pin")
        admin.press("Escape")
        admin.page.wait_for_selector("#desk:not([hidden])")
    with watching(station, browser, (1280, 800), "/admin") as other:
        come_in(other)


def test_the_page_is_reached_from_the_help_and_leads_back(kiosk: Watched, station: Station) -> None:
    kiosk.shows("insert")
    kiosk.press("?", "g")
    kiosk.page.wait_for_url("**/admin")
    kiosk.page.wait_for_selector("#door:not([hidden])")
    kiosk.press("Escape")
    kiosk.page.wait_for_url(f"{station.url}/")
    kiosk.shows("insert")


def test_wrong_pins_are_made_to_wait(station: Station, browser: Browser) -> None:
    """Last: until the wait is over nobody comes in."""
    with watching(station, browser, (1280, 800), "/admin", expected=r"status of (403|429)") as admin:
        admin.page.wait_for_selector("#pad button")
        for _ in range(4):
            type_pin(admin, "314159")
            expect(admin.page.locator("#door-wrong")).to_have_text(re.compile("密码不正确|请等待"), timeout=LONG_MS)
            expect(admin.page.locator("#pad button").first).to_be_enabled(timeout=LONG_MS)
        type_pin(admin, "314159")
        admin.sees("请等待")
        assert admin.page.locator("#pad button:disabled").count() == 12
        admin.picture("admin-wait-zh")
        expect(admin.page.locator("#pad button").first).to_be_enabled(timeout=LONG_MS)
        type_pin(admin, PIN)
        admin.page.wait_for_selector("#desk:not([hidden])", timeout=LONG_MS)
