"""What tells an engine that hangs from a slow one, and a page that kills from those beside it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pynvml
import pytest

from runtime.config import EngineConfig, Supervision
from runtime.engine import graphics, memory
from runtime.engine.pulse import Pulse
from runtime.gateway.page_log import GIVEN_UP, READ, PageLog, PageSeen
from runtime.gateway.patience import Patience
from runtime.signs_of_life import SignsOfLife
from runtime.tasks.task import Task


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_page_that_does_not_come_on_hangs_and_one_that_does_not() -> None:
    clock = Clock()
    pulse = Pulse(clock=clock)
    with pulse.work(10), pulse.work(10) as beat:
        clock.now += 9
        beat()
        assert not pulse.hangs()
        clock.now += 2
        assert pulse.hangs() and pulse.silent_s() == 11
    assert not pulse.hangs() and pulse.silent_s() == 0 and pulse.in_hand == 0


def test_pages_that_wait_for_one_another_hang_together_or_not_at_all() -> None:
    clock = Clock()
    pulse = Pulse(together=True, clock=clock)
    with pulse.work(10), pulse.work(10) as beat:
        clock.now += 9
        beat()
        clock.now += 2
        assert not pulse.hangs() and pulse.silent_s() == 2
        clock.now += 9
        assert pulse.hangs()


def test_the_limit_follows_how_slow_the_engine_was() -> None:
    patience = Patience(Supervision(least_stall_s=60, most_stall_s=600))
    assert patience.limit_s == 600, "nothing is known yet"
    patience.paused(0.2)
    assert patience.limit_s == 60
    patience.paused(3.0)
    patience.paused(0.1)
    assert patience.limit_s == 120, "forty times the longest pause"
    patience.paused(100.0)
    assert patience.limit_s == 600


def test_workers_and_threads_leave_no_core_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    from runtime import config

    monkeypatch.setattr(config, "_CORES", 16)
    monkeypatch.setattr(config, "_MEMORY_BYTES", 64 << 30)
    many = EngineConfig(name="rapidocr", socket=Path("s"))
    assert (many.parallel, many.threads_each) == (4, 4)
    assert EngineConfig(name="vllm", socket=Path("s")).parallel == 1
    assert EngineConfig(name="rapidocr", socket=Path("s"), parallel=3).threads_each == 5
    assert EngineConfig(name="rapidocr", socket=Path("s"), threads=2).threads_each == 2
    monkeypatch.setattr(config, "_MEMORY_BYTES", 6 << 30)
    assert EngineConfig(name="rapidocr", socket=Path("s")).parallel == 1, "memory for one only"
    monkeypatch.setattr(config, "_CORES", 2)
    monkeypatch.setattr(config, "_MEMORY_BYTES", 64 << 30)
    few = EngineConfig(name="rapidocr", socket=Path("s"))
    assert (few.parallel, few.threads_each) == (1, 2)


def test_memory_is_bounded_by_what_the_process_may_have() -> None:
    most, recycled = memory.limits(Supervision())
    assert 0 < recycled < most < memory.usable_bytes()
    assert memory.limits(Supervision(memory_bytes=10, recycle_bytes=20)) == (10, 10)
    assert 0 < memory.resident_bytes() < memory.usable_bytes()


def test_a_machine_without_a_card_has_none_to_tell_of(monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/dev/nvidiactl").exists():  # its driver is hidden here

        def absent() -> None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

        monkeypatch.setattr(pynvml, "nvmlInit", absent)
    cards = graphics.Cards()
    assert cards.now() == ()
    assert cards._asking is not None
    cards._asking.join(30)
    assert not cards._asking.is_alive() and cards.now() == (), "it asks no more"


def test_a_child_must_say_that_it_is_up_and_then_give_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    from runtime.service_notify import notify

    signs = SignsOfLife(start_s=100, answer_s=10)
    monkeypatch.setenv("NOTIFY_SOCKET", signs.environment["NOTIFY_SOCKET"])
    signs.begin(0)
    notify("WATCHDOG=1")
    assert not signs.overdue(99) and signs.overdue(101), "a sign of life is not readiness"
    signs.begin(200)
    notify("READY=1")
    assert not signs.overdue(205) and not signs.overdue(214)
    notify("WATCHDOG=1")
    assert not signs.overdue(216) and not signs.overdue(225) and signs.overdue(227)
    signs.begin(300)
    assert not signs.overdue(350), "begun anew"
    signs.close()


def test_the_last_pages_are_summed_up() -> None:
    clock = Clock()
    pages = PageLog(clock)
    assert pages.error_rate() is None and pages.mean_s() is None and pages.percentile_s(95) is None
    for seconds in range(1, 21):
        pages.add(PageSeen(Task.TEXT, "stub", READ, float(seconds)))
    pages.add(PageSeen(Task.TEXT, "", GIVEN_UP, 500.0))
    pages.add(PageSeen(Task.TEXT, "", "task-not-available", 0.1))
    pages.add(PageSeen(Task.TEXT, "", "engine-timeout", 600.0))
    assert (pages.mean_s(), pages.percentile_s(50), pages.percentile_s(95)) == (10.5, 10.0, 19.0)
    assert pages.error_rate() == pytest.approx(1 / 22), "the caller's faults and changes of mind are not ours"
    clock.now += 601
    assert pages.error_rate() is None and pages.mean_s() is None


def test_fresh_pages_are_not_blamed_for_a_death_beside_a_suspect() -> None:
    from runtime.gateway.engine_client import EngineClient, EngineLost
    from runtime.gateway.ladder import _Rung

    async def trial() -> None:
        rung = _Rung(EngineClient(EngineConfig(name="stub", socket=Path("s"))))
        assert not rung.suspect_was_there
        async with rung.held(False):
            assert not rung.suspect_was_there
        with pytest.raises(EngineLost):
            async with rung.held(True):
                assert rung.suspect_was_there
                raise EngineLost("stub", "stopped")
        assert rung.suspect_was_there, "for a moment: the others are lost a little later"

    asyncio.run(trial())
