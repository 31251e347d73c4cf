"""How much room a build really took at its worst moment, to hold the plan to it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_EVERY_S = 0.5


@dataclass
class Peak:
    """Bytes by which the disk's free room shrank at most. What other programs write counts too."""

    bytes: int = 0


@contextmanager
def watched(folder: Path) -> Iterator[Peak]:
    """Watch the disk of `folder` while the block runs."""
    peak, done = Peak(), threading.Event()
    before = shutil.disk_usage(folder).free

    def look() -> None:
        while True:
            peak.bytes = max(peak.bytes, before - shutil.disk_usage(folder).free)
            if done.wait(_EVERY_S):
                return

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()
