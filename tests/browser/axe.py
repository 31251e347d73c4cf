"""What axe-core finds wrong with a page by WCAG 2.2 AA, and by its own best practices as far as they fit a kiosk."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Watched

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
# A page of one screen has no landmarks to jump between, and a heading may be in a dialog.
NOT_OURS = ["region", "landmark-one-main", "page-has-heading-one", "heading-order"]
OPTIONS: dict[str, Any] = {
    "runOnly": RULES,
    "rules": {rule: {"enabled": False} for rule in NOT_OURS},
    "resultTypes": ["violations"],
}


def violations(kiosk: Watched) -> list[str]:
    """Each with its rule, its element and what would mend it."""
    found = Axe().run(kiosk.page, options=OPTIONS).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['html'][:160]} {node.get('failureSummary', '')[:400]}"
        for each in found
        for node in each["nodes"]
    ]
