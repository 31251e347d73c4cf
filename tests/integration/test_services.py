"""All services of the image at once, by its own systemd: each runs, and what they show together is looked at."""

from __future__ import annotations

import io
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.boot.screen import squeezed, text_of
from tests.integration.booted_station import Booted, booted
from tests.integration.image_tree import stacked
from tests.pages.render import render

PATIENCE_S = 600 * float(os.environ.get("INKSTICK_TEST_PATIENCE", "1"))


@pytest.fixture(scope="module")
def station(iso: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    with stacked(iso, tmp_path_factory.mktemp("tree")) as tree, booted(tree, tmp_path_factory.mktemp("room")) as made:
        made.wait_for_report("engine-ready", PATIENCE_S)
        yield made


def wait_until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.5)


def press(station: Booted, key: str) -> None:
    subprocess.run(["xdotool", "key", key], env={**os.environ, "DISPLAY": station.display}, check=True)


def test_no_service_has_failed_or_was_started_again(station: Booted) -> None:
    shown = station.systemctl("show", "inkstick-*.service", "--property=Id,ActiveState,NRestarts")
    units = [dict(line.split("=", 1) for line in block.splitlines()) for block in shown.strip().split("\n\n")]
    assert {"inkstick-gateway.service", "inkstick-scanner.service"} <= {unit["Id"] for unit in units}
    # A browser that paints late on a slow machine is started again, and rightly.
    again = [unit for unit in units if unit["NRestarts"] != "0" and unit["Id"] != "inkstick-kiosk.service"]
    assert again + [unit for unit in units if unit["ActiveState"] in ("failed", "activating")] == []


def test_the_page_is_drawn_beside_what_was_read(station: Booted) -> None:
    """The picture's own words are on the screen as well: in the page, and in the strip under it."""
    sheet, made = render("note"), station.sticks.parent / "new"
    made.mkdir()
    content = io.BytesIO()
    sheet.image.save(content, "PNG")
    (made / "note.png").write_bytes(content.getvalue())
    made.rename(station.sticks / "SCANS")
    wait_until(lambda: station.state()["screen"] == "list", "the list")

    def reads() -> bool:
        press(station, "a")
        press(station, "Return")
        time.sleep(1)
        return bool(station.state()["screen"] != "list")

    wait_until(reads, "the page is being read")
    wait_until(lambda: station.state()["screen"] == "review", "the review")
    first = squeezed(sheet.text.splitlines()[0])[:16]
    wait_until(lambda: text_of(station.picture()).count(first) >= 2, f"{first} on the page and in the text")
