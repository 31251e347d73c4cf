"""Every screen is pictured into docs/screens, to be looked at; nothing on it runs out of the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.screens import FOLDER, SIZES, take_all, with_camera
from tests.browser.station import Station
from tests.browser.tour import LANGUAGES

MOST_BYTES = 6_000_000


@pytest.mark.full
def test_every_screen_is_pictured_in_both_languages_and_sizes(
    station: Station, browser: Browser, tmp_path: Path
) -> None:
    with with_camera(tmp_path, browser.browser_type) as with_film:
        taken = take_all(with_film, station, FOLDER)
    for name, files in taken.names.items():
        assert {f"{name}-{language}-{width}.webp" for language in LANGUAGES for width, _ in SIZES} <= set(files)
    assert len(taken.names) > 25
    assert sum(file.stat().st_size for file in FOLDER.glob("*.webp")) < MOST_BYTES
    assert taken.overflowing == {}
