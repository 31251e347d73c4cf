"""Bad files, clients that go away and an engine that is killed: the soak of bench/service.py, in short."""

from __future__ import annotations

from pathlib import Path

from bench.soak import soak
from tests.integration.station import running_station


def test_every_client_that_stays_is_answered(tmp_path: Path) -> None:
    with running_station(tmp_path) as station:
        told = soak(station, 60, kill_every=25)
    assert told["unanswered"] == 0 and told["kills"] == 2
    assert told["read"] + told["refused"] + told["given_up"] == 60
    assert told["read"] >= 50 and told["refused"] >= 1
    assert told["open_files_late"] <= told["open_files_early"] + 2
