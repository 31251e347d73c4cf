"""What became of the last pages: how long they took and whether they were read. No document text."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

from runtime import problems
from runtime.results import PageResult
from runtime.tasks.task import Task

READ = "read"
GIVEN_UP = "given-up"
_WINDOW_S = 600.0
_MOST = 5000
_LEAST_FOR_A_RATE = 5
_STATIONS_FAULT = frozenset(
    kind.code
    for kind in (
        problems.ENGINE_FAILED,
        problems.ENGINE_TIMEOUT,
        problems.ENGINE_UNAVAILABLE,
        problems.INTERNAL,
        problems.PAGE_SET_ASIDE,
    )
)


@dataclass(frozen=True)
class PageSeen:
    """`seconds`: from its turn on, decoding not counted. `outcome`: READ, GIVEN_UP or a problem's code."""

    task: Task
    engine: str
    outcome: str
    seconds: float
    result: PageResult | None = None


class PageLog:
    """The pages of the last ten minutes; `listeners` are told of each."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.listeners: list[Callable[[PageSeen], None]] = []
        self._clock = clock
        self._seen: deque[tuple[float, float, str]] = deque(maxlen=_MOST)

    def add(self, page: PageSeen) -> None:
        self._seen.append((self._clock(), page.seconds, page.outcome))
        for listener in self.listeners:
            listener(page)

    def _recent(self) -> list[tuple[float, str]]:
        now = self._clock()
        while self._seen and now - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        return [(seconds, outcome) for _, seconds, outcome in self._seen]

    def error_rate(self) -> float | None:
        """Part of the pages that failed by the station's fault; None where there are too few to say."""
        outcomes = [outcome for _, outcome in self._recent() if outcome != GIVEN_UP]
        if len(outcomes) < _LEAST_FOR_A_RATE:
            return None
        return sum(outcome in _STATIONS_FAULT for outcome in outcomes) / len(outcomes)

    def mean_s(self) -> float | None:
        """Of the pages read; None without any."""
        times = [seconds for seconds, outcome in self._recent() if outcome == READ]
        return fmean(times) if times else None

    def percentile_s(self, percent: float) -> float | None:
        """Of the pages read, by the nearest rank; None without any."""
        times = sorted(seconds for seconds, outcome in self._recent() if outcome == READ)
        return times[max(0, math.ceil(len(times) * percent / 100) - 1)] if times else None
