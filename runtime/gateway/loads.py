"""How long an engine takes to load on this machine: what a wait is estimated by."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_REMEMBERED = 8


class Loads:
    """Told at every look whether the engine is ready."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.took_s: deque[float] = deque(maxlen=_REMEMBERED)
        """Of the loads that were seen from their beginning to their end, the newest last."""
        self._clock = clock
        self._since: float | None = clock()

    def seen(self, ready: bool) -> None:
        now = self._clock()
        if not ready and self._since is None:
            self._since = now
        elif ready and self._since is not None:
            self.took_s.append(now - self._since)
            self._since = None

    @property
    def since_s(self) -> float | None:
        """For so long it has not been ready; None while it is."""
        return None if self._since is None else self._clock() - self._since
