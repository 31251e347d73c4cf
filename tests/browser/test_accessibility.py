"""WCAG 2.2 AA on every screen and dialog, in both languages, by axe-core; large type and high contrast too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Watched
from tests.browser.station import Station
from tests.browser.tour import LANGUAGES, WALKS, speak

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
# A page of one screen has no landmarks to jump between, and a heading may be in a dialog.
NOT_OURS = ["region", "landmark-one-main", "page-has-heading-one", "heading-order"]
OPTIONS: dict[str, Any] = {
    "runOnly": RULES,
    "rules": {rule: {"enabled": False} for rule in NOT_OURS},
    "resultTypes": ["violations"],
}


def _violations(kiosk: Watched) -> list[str]:
    found = Axe().run(kiosk.page, options=OPTIONS).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['html'][:160]} {node.get('failureSummary', '')[:400]}"
        for each in found
        for node in each["nodes"]
    ]


@pytest.mark.full
@pytest.mark.parametrize("walk", WALKS)
def test_every_screen_and_dialog_meets_wcag(kiosk: Watched, station: Station, walk: str) -> None:
    found: dict[str, list[str]] = {}
    seen = []
    for name in WALKS[walk](kiosk, station):
        seen.append(name)
        for language in LANGUAGES:
            speak(kiosk, station, language)
            violations = _violations(kiosk)
            if violations:
                found[f"{name} {language}"] = violations
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
    assert _violations(kiosk) == []


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
