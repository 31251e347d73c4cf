"""What a printer waits for, from the keywords that printers send."""

from __future__ import annotations

import pytest

from runtime.printer.failures import halt


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        (["none"], None),
        ([], None),
        (["toner-low-warning", "media-low-report"], None),
        (["media-empty-error"], "paper"),
        (["media-empty"], "paper"),
        (["cover-open-warning", "toner-empty-error"], "cover"),
        (["toner-empty-error", "media-empty-error"], "paper"),
        (["paused"], "stopped"),
        (["offline-report"], "away"),
        (["fuser-over-temp-error"], "attention"),
        (["cups-waiting-for-job-completed"], None),
    ],
)
def test_the_first_thing_to_see_to_is_told(reasons: list[str], told: str | None) -> None:
    assert halt(reasons) == told
