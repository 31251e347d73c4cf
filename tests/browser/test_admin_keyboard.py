"""The admin page by keyboard alone, while it draws itself anew every few seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import station as stations
from tests.browser.conftest import watching
from tests.browser.station import Station
from tests.browser.test_admin import LONG_MS, come_in, panel

TO_THE_PANEL = ("Tab",) * 10
"""From the PIN's pad past the nine tabs, to the first button of the panel that is shown."""


@pytest.fixture(scope="module")
def running_station(
    tmp_path_factory: pytest.TempPathFactory, clock_times: tuple[Path, list[float]]
) -> Iterator[Station]:
    """One whose PIN nobody has chosen yet."""
    running = stations.start(tmp_path_factory.mktemp("station"), admin={"clock_socket": str(clock_times[0])})
    yield running
    stations.stop(running)


def test_a_button_reached_by_tab_stays_reached_when_it_is_drawn_again(station: Station, browser: Browser) -> None:
    """The one that saves the bundle."""
    stick = station.plug_in("TABS", {})
    with watching(station, browser, (1280, 800), "/admin") as admin:
        come_in(admin)
        panel(admin, 6, "logs")
        button = admin.page.locator('#bundle-to button[data-stick="TABS"]')
        button.wait_for(timeout=LONG_MS)
        admin.press(*TO_THE_PANEL)
        expect(button).to_be_focused()
        button.evaluate("button => { button.dataset.old = true; }")
        admin.page.wait_for_selector("#bundle-to button:not([data-old])", timeout=LONG_MS)
        expect(button).to_be_focused()
        admin.press("Enter")
        told = admin.page.get_by_text("可以拔出 U 盘")
        told.wait_for(timeout=LONG_MS)
        (bundle,) = (stick / "Inkstick").glob("inkstick-diagnostics-*.zip")
        expect(told).to_contain_text(f" Inkstick/{bundle.name}，")


def test_the_clock_is_set_without_a_mouse(
    station: Station, browser: Browser, clock_times: tuple[Path, list[float]]
) -> None:
    with watching(station, browser, (1280, 800), "/admin") as admin:
        come_in(admin)
        panel(admin, 7, "clock")
        year = admin.page.locator("#clock-year")
        year.wait_for(timeout=LONG_MS)
        admin.press(*TO_THE_PANEL, "Tab")
        expect(year).to_be_focused()
        admin.press(*"2031")
        expect(year).to_have_value("2031")
        admin.press("Escape", "s")
        admin.page.get_by_text("主板时钟也已写入").wait_for(timeout=LONG_MS)
    (asked,) = clock_times[1]
    assert time.gmtime(asked).tm_year == 2031


def test_keys_pressed_before_the_station_has_answered_count(station: Station, browser: Browser) -> None:
    with watching(station, browser, (1280, 800), "/admin") as admin:
        admin.page.route("**/admin/now", lambda _: None)
        come_in(admin)
        panel(admin, 8, "network")
        panel(admin, 5, "keys")
        admin.press("l")
        admin.page.wait_for_selector('html[lang="en"]', timeout=LONG_MS)
        assert admin.page.locator("#key-list tbody tr").count() == 0
        admin.page.unroute("**/admin/now")  # which lets those that wait go on
        admin.page.wait_for_selector("#key-list tr[data-revoked]", timeout=LONG_MS)
        admin.press("l")
        admin.page.wait_for_selector('html:not([lang="en"])', timeout=LONG_MS)
