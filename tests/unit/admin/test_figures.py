"""What the admin page draws and lists: figures over time, lines of the log, interfaces, the time zone."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from runtime.admin.history import SERIES, History
from runtime.admin.interfaces import network
from runtime.admin.log_book import LogBook, chosen, line_of
from runtime.admin.sampling import Processor
from runtime.admin.zones import COMMON, Zone, zone_here
from runtime.gateway.loads import Loads
from runtime.problems import Problem


def test_a_history_keeps_an_hour_by_the_sample_and_a_day_by_the_minute() -> None:
    history = History()
    for number in range(40_000):
        history.add(1000.0 + 5 * number, {"cpu": (number % 2) / 1.0, "gpu": None})
    hour, day = history.columns("hour"), history.columns("day")
    assert len(hour["at"]) == 720 and len(day["at"]) == 1440
    assert set(hour) == {"at", *SERIES}
    assert hour["cpu"][-2:] == [0.0, 1.0] and set(hour["gpu"]) == {None}
    assert all(value is not None and 0.4 < value < 0.6 for value in day["cpu"])
    assert day["at"] == sorted(value for value in day["at"] if value is not None)


def test_a_clock_that_is_set_back_begins_a_new_history() -> None:
    history = History()
    for at in (1000.0, 1005.0, 10.0, 15.0):
        history.add(at, {"cpu": 0.5})
    assert history.columns("hour")["at"] == [10.0, 15.0]


def test_the_processor_is_as_busy_as_the_kernel_says(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 100 800 0 0 0 0 0 0\n")
    processor = Processor(stat)
    assert processor.busy() is None  # no time has passed
    stat.write_text("cpu  160 0 115 820 5 0 0 0 0 0\n")
    assert processor.busy() == pytest.approx(0.75)
    stat.write_text("nothing")
    assert processor.busy() is None


def test_a_log_book_says_what_was_said_and_nothing_of_an_exceptions_words() -> None:
    book = LogBook()
    logger = logging.getLogger("test.book")
    logger.setLevel(logging.INFO)
    logger.addHandler(book)
    try:
        logger.info("read", extra={"fields": {"pages": 3, "task": ""}})
        try:
            raise ValueError("the page's own words")
        except ValueError:
            logger.exception("not read")
    finally:
        logger.removeHandler(book)
    first, second = book.lines()
    assert (first.level, first.text, first.source) == ("info", "read pages=3", "test.book")
    assert second.level == "error" and "ValueError" in second.text
    assert "own words" not in second.text
    assert chosen(book.lines(), least="warning", source="", words="", most=9) == [second]
    assert chosen(book.lines(), least="info", source="test", words="PAGES", most=9) == [first]
    assert chosen(book.lines(), least="info", source="", words="", most=1) == [second]


def entry(**fields: object) -> bytes:
    return json.dumps({"__REALTIME_TIMESTAMP": "1700000000000000", "PRIORITY": "6", **fields}).encode()


def test_the_journal_tells_of_our_own_programs_and_of_units_alone() -> None:
    own = json.dumps({"time": "t", "level": "warning", "logger": "l", "message": "ended", "pages": 2})
    line = line_of(entry(_SYSTEMD_UNIT="inkstick-engine@rapidocr.service", _COMM="python3", MESSAGE=own))
    assert line and (line.level, line.text, line.source) == ("warning", "ended pages=2", "inkstick-engine@rapidocr")
    said = line_of(
        entry(UNIT="inkstick-kiosk.service", _COMM="systemd", MESSAGE="Started", _SYSTEMD_UNIT="init.scope")
    )
    assert said and said.source == "inkstick-kiosk"
    for unit, comm in (
        ("inkstick-vllm.service", "python3"),
        ("inkstick-kiosk.service", "chromium"),
        ("inkstick-display.service", "Xorg"),
        ("cron.service", "python3"),
    ):
        assert line_of(entry(_SYSTEMD_UNIT=unit, _COMM=comm, MESSAGE="a page's words")) is None, unit
    assert line_of(b"not json") is None
    assert line_of(entry(_SYSTEMD_UNIT="inkstick-media.service", MESSAGE=[1, 2])) is None


def test_interfaces_are_told_and_only_loopback_is_an_air_gap(tmp_path: Path) -> None:
    def interface(name: str, kind: str) -> None:
        (tmp_path / "net" / name / "statistics").mkdir(parents=True)
        for file, text in (("type", kind), ("operstate", "up"), ("address", "00:11"), ("statistics/rx_bytes", "7")):
            (tmp_path / "net" / name / file).write_text(f"{text}\n")

    interface("lo", "772")
    (tmp_path / "modules/6.12/kernel/drivers/gpu").mkdir(parents=True)
    found = network(["127.0.0.1:1"], tmp_path / "net", tmp_path / "modules")
    assert found.air_gapped and found.drivers is False
    interface("eth0", "1")
    (tmp_path / "modules/6.12/kernel/drivers/net").mkdir()
    found = network([], tmp_path / "net", tmp_path / "modules")
    assert not found.air_gapped and found.drivers is True
    assert [(each.name, each.loopback, each.received_bytes) for each in found.interfaces] == [
        ("eth0", False, 7),
        ("lo", True, 7),
    ]


@pytest.fixture
def own_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test does to the process's zone is undone."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.usefixtures("own_zone")
def test_a_zone_is_kept_and_the_clock_face_follows_it(tmp_path: Path) -> None:
    zone = Zone(tmp_path / "zone")
    zone.choose("Asia/Shanghai")
    assert zone.shown(0) == "1970-01-01T08:00:00+08:00"
    assert zone.instant("2026-11-22T08:00:00") == zone.instant("2026-11-22T08:00")
    assert zone.shown(zone.instant("2026-11-22T15:04:05")) == "2026-11-22T15:04:05+08:00"
    assert Zone(tmp_path / "zone").name == "Asia/Shanghai"
    assert zone_here() == "Asia/Shanghai"
    assert Zone(tmp_path / "zone", "Europe/Berlin").name == "Asia/Shanghai", "what was chosen since comes first"
    for wrong in ("Asia/Nowhere", "../../etc/passwd"):
        with pytest.raises(Problem):
            zone.choose(wrong)
    for wrong in ("yesterday", "2026-02-30T00:00:00", "2026-01-01T00:00:00+01:00"):
        with pytest.raises(Problem):
            zone.instant(wrong)
    for name in COMMON:
        zone.choose(name)


@pytest.mark.usefixtures("own_zone")
def test_a_station_starts_in_the_profiles_zone(tmp_path: Path) -> None:
    zone = Zone(tmp_path / "zone", "Asia/Shanghai")
    assert (zone.name, zone_here(), time.localtime(0).tm_hour) == ("Asia/Shanghai", "Asia/Shanghai", 8)
    with pytest.raises(Problem):
        Zone(None, "Asia/Shangri-La")


def test_a_service_that_may_not_see_the_modules_still_tells_of_its_interfaces() -> None:
    """ProtectKernelModules= makes their folder one that nobody may list; the gateway's unit has it."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        lo, hidden = Path(folder, "net/lo"), Path(folder, "modules")
        lo.mkdir(parents=True)
        (lo / "type").write_text("772\n")
        hidden.mkdir(mode=0)
        with _nobody():
            found = network([], lo.parent, hidden)
    assert found.air_gapped and found.drivers is None and [each.name for each in found.interfaces] == ["lo"]


@contextmanager
def _nobody() -> Iterator[None]:
    """Root may list every folder."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(me)


def test_how_long_an_engine_loads_is_remembered() -> None:
    now = [0.0]
    loads = Loads(lambda: now[0])
    for at, ready in ((1.0, False), (7.0, True), (8.0, True), (20.0, False), (21.0, False), (24.0, True)):
        now[0] = at
        loads.seen(ready)
    assert list(loads.took_s) == [7.0, 4.0] and loads.since_s is None
    now[0] = 30.0
    loads.seen(False)
    now[0] = 33.0
    assert loads.since_s == 3.0
