"""The admin page of a machine with a graphics card: the engine asks a library that answers in the driver's place."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import station as stations
from tests.browser.conftest import Watched, watching
from tests.browser.station import Station
from tests.browser.test_admin import come_in
from tests.unit.runtime.test_graphics import make_driver

LONG_MS = 90_000


@pytest.fixture(scope="module")
def running_station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with pytest.MonkeyPatch.context() as monkey:
        for name, value in make_driver(tmp_path_factory.mktemp("driver")).items():
            monkey.setenv(name, value)
        running = stations.start(tmp_path_factory.mktemp("station"))
    yield running
    stations.stop(running)


@pytest.fixture
def admin(station: Station, browser: Browser) -> Iterator[Watched]:
    with watching(station, browser, (1024, 768), "/admin") as watched:
        come_in(watched)
        yield watched


def test_the_cards_work_and_memory_are_drawn_and_it_is_told_of(admin: Watched) -> None:
    """Of two cards the busiest, and the fullest, counts."""
    for series, told in {"gpu": "42 %", "vram": "83 %"}.items():
        figure = admin.page.locator(f'figure[data-series="{series}"]')
        expect(figure.locator(".plot")).to_have_attribute("data-points", re.compile(r"[1-9]"), timeout=LONG_MS)
        expect(figure.locator(".figure")).to_have_text(told, timeout=LONG_MS)
        expect(figure.locator(".hollow")).to_be_hidden()
    admin.picture("admin-overview-card")
    admin.press("3")
    card = admin.page.locator("#ladder li", has_text="21.5 GB / 25.8 GB").first
    expect(card).to_contain_text("42.0 %")
    expect(card).to_contain_text("61 °C")
    admin.press("2")
    fullest = admin.page.locator("#rules tr", has_text="> 95.0 %").locator("td").nth(2)
    expect(fullest).to_have_text("83.3 %", timeout=LONG_MS)


def test_a_long_time_is_told_in_hours_and_days(admin: Watched) -> None:
    told = admin.page.evaluate(
        "import('/static/js/words.js').then(words => [42, 130, 6000, 8000, 200000].map(words.duration))"
    )
    assert told == ["42 秒", "2 分 10 秒", "1 小时 40 分", "2 小时 13 分", "2 天 7 小时"]
