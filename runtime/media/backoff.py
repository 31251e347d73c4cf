"""Who guesses passphrases waits longer and longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from runtime.media.vault_wire import TOO_SOON
from runtime.problems import Problem, ProblemKind

_FREE_TRIES = 3
_LONGEST_S = 300.0


class Backoff:
    """Three tries are free; after each further one the wait doubles, from 2 s to 5 minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong = 0
        self._until = 0.0

    def check(self) -> None:
        """Raises Problem TOO_SOON, with the seconds that are left as `wait_s`."""
        with self._lock:
            left = self._until - self._clock()
        if left > 0:
            raise Problem(TOO_SOON, f"Wait {left:.0f} s.", extra={"wait_s": int(left) + 1})

    def wrong(self, kind: ProblemKind) -> Problem:
        """Count it; the Problem to raise."""
        with self._lock:
            self._wrong += 1
            over = self._wrong - _FREE_TRIES
            wait_s = 0.0 if over < 0 else min(_LONGEST_S, 2.0 ** (over + 1))
            self._until = self._clock() + wait_s
        return Problem(kind, "Type it again.", extra={"wait_s": int(wait_s), "tries": self._wrong})

    def right(self) -> None:
        with self._lock:
            self._wrong, self._until = 0, 0.0
