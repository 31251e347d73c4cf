"""The admin page by keyboard alone, while it draws itself anew every few seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import station as stations
from tests.browser.conftest import watching
from tests.browser.station import Station
from tests.browser.test_admin import LONG_MS, come_in, panel


@pytest.fixture(scope="module")
def running_station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """One whose PIN nobody has chosen yet."""
    running = stations.start(tmp_path_factory.mktemp("station"))
    yield running
    stations.stop(running)


def test_a_button_reached_by_tab_stays_reached_when_it_is_drawn_again(station: Station, browser: Browser) -> None:
    """From the PIN's pad past the tabs, to the button that saves the bundle."""
    stick = station.plug_in("TABS", {})
    with watching(station, browser, (1280, 800), "/admin") as admin:
        come_in(admin)
        panel(admin, 6, "logs")
        button = admin.page.locator('#bundle-to button[data-stick="TABS"]')
        button.wait_for(timeout=LONG_MS)
        admin.press(*["Tab"] * 10)
        expect(button).to_be_focused()
        button.evaluate("button => { button.dataset.old = true; }")
        admin.page.wait_for_selector("#bundle-to button:not([data-old])", timeout=LONG_MS)
        expect(button).to_be_focused()
        admin.press("Enter")
        admin.page.get_by_text("可以拔出 U 盘").wait_for(timeout=LONG_MS)
    assert list((stick / "Inkstick").glob("inkstick-diagnostics-*.zip"))
