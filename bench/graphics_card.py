"""What nvidia-smi says of the first card: its name, and its memory in use while something runs."""

from __future__ import annotations

import subprocess
import threading
from types import TracebackType

_BANDWIDTH_GB_S = {"4090": 1008, "3090": 936, "A10": 600, "L4": 300, "A100": 2039, "H100": 3350, "H200": 4800}
"""By a part of the card's name; from the makers' data sheets."""
_EVERY_S = 0.2


def card() -> str | None:
    """Its name; None without one."""
    return _asked("name")


def bandwidth_gb_s(name: str | None) -> float | None:
    """Of the card's memory; None for one that is not listed here."""
    words = (name or "").replace("-", " ").split()
    return next((float(rate) for part, rate in _BANDWIDTH_GB_S.items() if part in words), None)


class PeakMemory:
    """`with PeakMemory() as memory:`; `peak_gb` is the most that was in use on the card, None without one."""

    def __init__(self) -> None:
        self.peak_gb: float | None = None
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._watching.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._watching.join()

    def _watch(self) -> None:
        while (used := _asked("memory.used")) is not None:
            self.peak_gb = round(max(self.peak_gb or 0.0, float(used) * 1024**2 / 1e9), 2)
            if self._over.wait(_EVERY_S):
                return


def _asked(what: str) -> str | None:
    words = ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else None
