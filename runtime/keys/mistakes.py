"""Wrong keys and wrong PINs: whoever makes them waits longer each time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_FREE_MISTAKES = 5
_LONGEST_WAIT_S = 900.0
_MOST_CALLERS = 10_000


class Mistakes:
    """By caller: after some for free, each doubles the time in which nothing of theirs is looked at."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        free: int = _FREE_MISTAKES,
        longest_wait_s: float = _LONGEST_WAIT_S,
    ) -> None:
        self._clock = clock
        self._free = free
        self._longest_wait_s = longest_wait_s
        self._made: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        _, until = self._made.get(caller, (0, 0.0))
        return max(0.0, until - self._clock())

    def add(self, caller: str) -> None:
        count = self._made.pop(caller, (0, 0.0))[0] + 1
        wait = min(self._longest_wait_s, 2.0 ** (count - self._free)) if count > self._free else 0.0
        self._made[caller] = count, self._clock() + wait
        while len(self._made) > _MOST_CALLERS:
            self._made.popitem(last=False)

    def forget(self, caller: str) -> None:
        self._made.pop(caller, None)
