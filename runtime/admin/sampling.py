"""Takes the station's figures every few seconds."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from statistics import fmean

from runtime.admin.history import EVERY_S, History, Sample
from runtime.background import running
from runtime.gateway.metrics import cards_of
from runtime.gateway.page_log import READ, PageSeen
from runtime.gateway.reader import Reader
from runtime.gateway.signals import memory_used

log = logging.getLogger(__name__)

_STAT = Path("/proc/stat")
_MINUTE_S = 60.0
_IDLE, _IOWAIT = 3, 4
"""Of the figures in proc_stat(5)'s first line."""


class Sampler:
    """`jobs_waiting`: pages of jobs that wait, beside those that the reader knows of."""

    def __init__(
        self,
        history: History,
        reader: Reader,
        jobs_waiting: Callable[[], Awaitable[int]],
        *,
        every_s: float = EVERY_S,
    ) -> None:
        self._history = history
        self._reader = reader
        self._jobs_waiting = jobs_waiting
        self._every_s = every_s
        self._processor = Processor()
        self._read: deque[tuple[float, float]] = deque()
        reader.log.listeners.append(self._seen)

    def running(self) -> AbstractAsyncContextManager[None]:
        """For as long as the context lasts."""
        return running(self._work())

    async def sample(self) -> Sample:
        """The figures of this moment."""
        reader = self._reader
        now = time.monotonic()
        while self._read and now - self._read[0][0] > _MINUTE_S:
            self._read.popleft()
        cards = cards_of(reader.engines)
        return {
            "latency_s": fmean(seconds for _, seconds in self._read) if self._read else None,
            "pages_a_minute": float(len(self._read)),
            "error_rate": reader.log.error_rate(),
            "queue": float(reader.waiting + reader.ladder.in_hand + await self._jobs_waiting()),
            "cpu": self._processor.busy(),
            "memory": memory_used(),
            "gpu": max((card.busy for card in cards if card.busy is not None), default=None),
            "vram": max((card.memory_used_bytes / max(1, card.memory_bytes) for card in cards), default=None),
        }

    def _seen(self, page: PageSeen) -> None:
        if page.outcome == READ:
            self._read.append((time.monotonic(), page.seconds))

    async def _work(self) -> None:
        while True:
            try:
                self._history.add(time.time(), await self.sample())
            except Exception:
                log.exception("no figures could be taken")
            await asyncio.sleep(self._every_s)


class Processor:
    """How busy all cores were since the last call."""

    def __init__(self, stat: Path = _STAT) -> None:
        self._stat = stat
        self._last = self._now()

    def busy(self) -> float | None:
        """0..1; None where the kernel does not tell, and if no time has passed."""
        before, self._last = self._last, self._now()
        if before is None or self._last is None:
            return None
        total, idle = (now - then for now, then in zip(self._last, before, strict=True))
        return min(1.0, max(0.0, 1 - idle / total)) if total > 0 else None

    def _now(self) -> tuple[int, int] | None:
        try:
            figures = [int(word) for word in self._stat.read_text().split("\n", 1)[0].split()[1:9]]
            return sum(figures), figures[_IDLE] + figures[_IOWAIT]
        except (OSError, ValueError, IndexError):
            return None
