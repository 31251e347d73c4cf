"""The figures that alert rules are held against."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from runtime.alerts.rules import Signal
from runtime.config import StationConfig
from runtime.engine.wire import Gpu
from runtime.gateway.metrics import cards_of
from runtime.gateway.reader import Reader

_TEN_MINUTES_S = 600.0
_HOUR_S = 3600.0


class Signals:
    """`waiting`: pages that wait, jobs' too. `selftest_cer`: of the last self-test."""

    def __init__(
        self,
        config: StationConfig,
        reader: Reader,
        *,
        selftest_cer: Callable[[], float | None],
        tokens_out_of_time: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._reader = reader
        self._selftest_cer = selftest_cer
        self._tokens_out_of_time = tokens_out_of_time
        self._late = _Growth(_TEN_MINUTES_S, clock)
        self._restarts = _Growth(_TEN_MINUTES_S, clock)
        self._set_aside = _Growth(_HOUR_S, clock)

    def now(self, jobs_waiting: int = 0) -> dict[Signal, float | None]:
        """All of them; None for what the station cannot tell. Looks at files: not for the event loop's thread."""
        reader = self._reader
        cards = cards_of(reader.engines)
        restarts = sum(engine.restarts_seen - engine.recycles_seen for engine in reader.engines)
        return {
            "error_rate": reader.log.error_rate(),
            "latency_p95_s": reader.log.percentile_s(95),
            "queue_fill": (reader.waiting + jobs_waiting) / self._config.limits.queue_pages,
            "engines_ready": None if reader.state == "starting" else sum(each.ready for each in reader.engines),
            "engine_restarts": self._restarts.of(restarts),
            "pages_set_aside": self._set_aside.of(reader.ladder.set_aside),
            "gpu_memory": max((_fill(card) for card in cards), default=None),
            "gpu_celsius": max((card.celsius for card in cards if card.celsius is not None), default=None),
            "memory": memory_used(),
            "disk": max(map(disk_used, self._folders())),
            "selftest_cer": self._selftest_cer(),
            "clock_behind_s": clock_behind_s(),
            "tokens_out_of_time": self._late.of(self._tokens_out_of_time()),
        }

    def _folders(self) -> Iterable[Path]:
        jobs = self._config.jobs.folder
        return (Path(tempfile.gettempdir()), *((jobs,) if jobs is not None and jobs.is_dir() else ()))


def _fill(card: Gpu) -> float:
    return card.memory_used_bytes / max(1, card.memory_bytes)


class _Growth:
    """By how much a count has grown in the last `window_s` seconds."""

    def __init__(self, window_s: float, clock: Callable[[], float]) -> None:
        self._window_s = window_s
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, count: int) -> float:
        now = self._clock()
        if not self._seen or self._seen[-1][1] != count:
            self._seen.append((now, count))
        # The last count before the window stays: it is what the window began with.
        while len(self._seen) > 1 and now - self._seen[1][0] > self._window_s:
            self._seen.popleft()
        return float(count - self._seen[0][1])


def memory_used() -> float | None:
    """Part of the machine's memory that could not be had by a program that asked; None where it is not told."""
    try:
        told = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        total, available = (int(told[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return None
    return 1 - available / total


def clock_behind_s(made: Path = Path(__file__)) -> float:
    """By how much the clock stands before the day this program was put on its stick; 0 if it does not."""
    return max(0.0, made.stat().st_mtime - time.time())


def disk_used(folder: Path) -> float:
    """Part of the file system of `folder` that is taken; 0 if it cannot be asked."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return 0.0
    facts = os.statvfs(folder)
    inodes = 1 - facts.f_favail / facts.f_files if facts.f_files else 0.0
    return max(usage.used / usage.total if usage.total else 0.0, inodes)
