"""When the pages in hand last came on: what tells an engine that hangs from one that is slow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class _Work:
    last: float
    limit_s: float


class Pulse:
    """Follows the work in hand: pages, and the loading of the models. May be used from any thread.

    `together`: as Engine.together; then all work is silent only if every piece of it is.
    """

    def __init__(self, *, together: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._together = together
        self._clock = clock
        self._lock = threading.Lock()
        self._works: dict[int, _Work] = {}
        self._next = 0

    @contextmanager
    def work(self, limit_s: float) -> Iterator[Callable[[], None]]:
        """For as long as one piece of work lasts; call what it gives at every step forward.

        `limit_s`: without a step for so long it hangs.
        """
        with self._lock:
            number, self._next = self._next, self._next + 1
            self._works[number] = _Work(self._clock(), limit_s)

        def beat() -> None:
            with self._lock:
                self._works[number].last = self._clock()

        try:
            yield beat
        finally:
            with self._lock:
                del self._works[number]

    @property
    def in_hand(self) -> int:
        with self._lock:
            return len(self._works)

    def silent_s(self) -> float:
        """Seconds for which a piece of work, or if `together` all of it, has not come on; 0 without any."""
        with self._lock:
            silences = [self._clock() - work.last for work in self._works.values()]
        if not silences:
            return 0.0
        return min(silences) if self._together else max(silences)

    def hangs(self) -> bool:
        """Whether a piece of work, or if `together` all of it, was silent for longer than its limit."""
        with self._lock:
            now = self._clock()
            over = [now - work.last > work.limit_s for work in self._works.values()]
        return bool(over) and (all(over) if self._together else any(over))
