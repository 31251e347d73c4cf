"""How long an engine may be silent before it is taken for hung: told by how slow it was before."""

from __future__ import annotations

from runtime.config import Supervision

_TIMES = 40
"""A large page's longest step costs at most ten times a small one's; the rest is for a machine under load."""


class Patience:
    """For one engine, over all its restarts. A slow machine's pauses are long, and so is its limit."""

    def __init__(self, supervision: Supervision) -> None:
        self._least_s = supervision.least_stall_s
        self._most_s = supervision.most_stall_s
        self._longest_s: float | None = None

    def paused(self, seconds: float) -> None:
        """It was silent for so long and then went on."""
        self._longest_s = max(seconds, self._longest_s or 0.0)

    @property
    def limit_s(self) -> int:
        if self._longest_s is None:
            return self._most_s
        return round(min(self._most_s, max(self._least_s, _TIMES * self._longest_s)))
