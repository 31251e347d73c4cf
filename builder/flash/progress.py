"""How far each stick is: a bar for each on a terminal, a line for each now and then elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import Progress, TaskID

from builder.console import PLAIN_INTERVAL_S, bars, out, say, size


class Show(Protocol):
    """Takes how far the stick `name` is with `phase`, in bytes. From any thread."""

    def __call__(self, name: str, phase: str, done: int, total: int) -> None: ...


@contextmanager
def shown(names: list[str]) -> Iterator[Show]:
    """Show the progress of these sticks while the block runs."""
    if not out.is_terminal:
        yield _Lines()
        return
    with bars(bytes_=True, transient=False) as progress:
        yield _Bars(progress, {name: progress.add_task(name, total=None) for name in names})


class _Bars:
    def __init__(self, progress: Progress, tasks: dict[str, TaskID]) -> None:
        self._progress = progress
        self._tasks = tasks
        self._phases: dict[str, str] = {}

    def __call__(self, name: str, phase: str, done: int, total: int) -> None:
        task = self._tasks[name]
        if self._phases.get(name) != phase:
            # A speed of its own for each phase: reading is not writing.
            self._phases[name] = phase
            self._progress.reset(task, total=total or None, description=f"{name} {phase}")
        self._progress.update(task, completed=done)


class _Lines:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, tuple[str, float]] = {}

    def __call__(self, name: str, phase: str, done: int, total: int) -> None:
        now = time.monotonic()
        with self._lock:
            before, when = self._last.get(name, ("", 0.0))
            if before == phase and now - when < PLAIN_INTERVAL_S:
                return
            self._last[name] = (phase, now)
            say(f"{name}: {phase}" + (f": {size(done)} of {size(total)}" if total else ""))
