"""WCAG 2.2 AA on every screen and dialog, in both languages, by axe-core; large type and high contrast too."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Watched
from tests.browser.screens import OUTSIDE
from tests.browser.station import Station
from tests.browser.tour import LANGUAGES, WALKS, speak

VIEWS = {"plain": (), "seen badly": ("large", "contrast")}


@pytest.mark.full
@pytest.mark.parametrize("kiosk", [(1024, 768)], indirect=True)
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("walk", WALKS)
def test_every_screen_and_dialog_meets_wcag(kiosk: Watched, station: Station, walk: str, view: str) -> None:
    """On the smallest screen; with large type and high contrast nothing runs out of the window there either."""
    for choice in VIEWS[view]:
        kiosk.page.add_init_script(f"sessionStorage.setItem('view-{choice}', 'on');")
    kiosk.page.reload()
    found: dict[str, list[str]] = {}
    seen = []
    for name in WALKS[walk](kiosk, station):
        seen.append(name)
        for language in LANGUAGES:
            speak(kiosk, station, language)
            if wrong := [*violations(kiosk), *(f"not in the window: {each}" for each in kiosk.page.evaluate(OUTSIDE))]:
                found[f"{name} {language}"] = wrong
        speak(kiosk, station, LANGUAGES[0])
    assert len(seen) == len(set(seen)) > 8
    assert not found, json.dumps(found, ensure_ascii=False, indent=1)


@pytest.mark.parametrize("choice", ["large", "contrast"])
def test_large_type_and_high_contrast_are_kept_and_meet_wcag(kiosk: Watched, station: Station, choice: str) -> None:
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    before = kiosk.page.evaluate(size), _paper(kiosk)
    kiosk.press("F7")
    expect(kiosk.page.locator("#view")).to_be_visible()
    kiosk.press("1" if choice == "large" else "2")
    expect(kiosk.page.locator(f"#view-{choice}")).to_have_attribute("aria-pressed", "true")
    kiosk.press("Escape")
    kiosk.page.reload()
    kiosk.shows("insert")
    after = kiosk.page.evaluate(size), _paper(kiosk)
    assert (after[0] > 1.2 * before[0]) == (choice == "large")
    assert (after[1] != before[1]) == (choice == "contrast")
    kiosk.picture(f"view-{choice}")
    assert violations(kiosk) == []


def _paper(kiosk: Watched) -> str:
    colour: str = kiosk.page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_the_focus_is_always_seen(kiosk: Watched) -> None:
    for _ in range(6):
        kiosk.press("Tab")
        focused = "document.activeElement"
        assert kiosk.page.evaluate(f"{focused} !== document.body")
        width, style = kiosk.page.evaluate(
            f"[parseFloat(getComputedStyle({focused}).outlineWidth), getComputedStyle({focused}).outlineStyle]"
        )
        assert width >= 2 and style != "none"
