"""The figures of the last hours, in memory: what charts show when the page opens."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from statistics import fmean
from typing import Literal

Series = Literal["latency_s", "pages_a_minute", "error_rate", "queue", "cpu", "memory", "gpu", "vram"]
SERIES: tuple[Series, ...] = (
    "latency_s",
    "pages_a_minute",
    "error_rate",
    "queue",
    "cpu",
    "memory",
    "gpu",
    "vram",
)
"""`latency_s`: mean of the pages read in the last minute; `pages_a_minute`; `error_rate`: of the last ten
minutes' pages, 0..1; `queue`: pages waiting and in hand; `cpu`, `memory`, `gpu`, `vram`: 0..1 of what there
is, the busiest card's."""
Span = Literal["hour", "day"]
Sample = Mapping[Series, float | None]

EVERY_S = 5.0
_FINE = 720
_COARSE = 1440
_COARSE_S = 60.0


class History:
    """An hour sample by sample, a day by the minute: some hundred kilobytes."""

    def __init__(self) -> None:
        self._fine: deque[tuple[float, Sample]] = deque(maxlen=_FINE)
        self._coarse: deque[tuple[float, Sample]] = deque(maxlen=_COARSE)
        self._minute: list[Sample] = []
        self._minute_began: float | None = None

    def add(self, at: float, sample: Sample) -> None:
        """`at`: seconds since 1970. A clock that was set back begins a new history: charts go forward."""
        if self._fine and at <= self._fine[-1][0]:
            self._fine.clear()
            self._coarse.clear()
            self._minute, self._minute_began = [], None
        self._fine.append((at, sample))
        if self._minute_began is None:
            self._minute_began = at
        self._minute.append(sample)
        if at - self._minute_began >= _COARSE_S:
            self._coarse.append((at, {name: _mean(name, self._minute) for name in SERIES}))
            self._minute, self._minute_began = [], None

    @property
    def last(self) -> Sample:
        return self._fine[-1][1] if self._fine else {}

    def columns(self, span: Span) -> dict[str, list[float | None]]:
        """`at` and every series, oldest first; None where nothing was to be told."""
        chosen = self._fine if span == "hour" else self._coarse
        return {
            "at": [at for at, _ in chosen],
            **{name: [sample.get(name) for _, sample in chosen] for name in SERIES},
        }


def _mean(name: Series, samples: list[Sample]) -> float | None:
    told = [value for sample in samples if (value := sample.get(name)) is not None]
    return fmean(told) if told else None
