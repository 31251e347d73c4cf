"""What the terminal shows: steps, progress bars where there is a terminal, plain lines where not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from builder.errors import InkstickError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

PLAIN_INTERVAL_S = 5.0
"""Between two lines about the same piece of work, where there is no terminal."""
_PERCENT = TextColumn("{task.percentage:>3.0f} %")


class Meter(Protocol):
    """Takes how far a piece of work is; `total` may become known late."""

    def __call__(self, done: int, total: int) -> None: ...


def say(text: str) -> None:
    """One line of news. `text` is plain: markup in it is shown as it is."""
    out.print(escape(text))


def show_error(error: InkstickError) -> None:
    """Cause, remedy, and where the log is. On standard error."""
    err.print(f"[bold red]error:[/] {escape(error.message)}")
    if error.hint:
        err.print(f"[bold]remedy:[/] {escape(error.hint)}")
    if error.log:
        err.print(f"[dim]log: {escape(str(error.log))}[/]")


@contextmanager
def step(title: str, *, bytes_: bool = False) -> Iterator[Meter]:
    """Show a piece of work from start to end, with a bar on a terminal and lines elsewhere.

    `bytes_`: the numbers given to the meter are bytes, shown with speed and time left.
    """
    started = time.monotonic()
    if out.is_terminal:
        with bars(bytes_=bytes_, transient=True) as progress:
            task = progress.add_task(title, total=None)
            yield _BarMeter(progress, task)
    else:
        say(f"{title} ...")
        yield _LineMeter(title, bytes_)
    say(f"{title}: done in {duration(time.monotonic() - started)}")


class _BarMeter:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def __call__(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total or None)


class _LineMeter:
    def __init__(self, title: str, bytes_: bool) -> None:
        self._title = title
        self._bytes = bytes_
        self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last < PLAIN_INTERVAL_S:
            return
        self._last = now
        if self._bytes:
            say(f"{self._title}: {size(done)} of {size(total)}")
        else:
            say(f"{self._title}: {done} of {total}")


def bars(*, bytes_: bool, transient: bool) -> Progress:
    """Bars with the time left; of bytes with their number and speed. `transient`: they go when all is done."""
    count = (DownloadColumn(binary_units=True), TransferSpeedColumn()) if bytes_ else (_PERCENT,)
    text = TextColumn("{task.description}")
    return Progress(text, BarColumn(), *count, TimeRemainingColumn(), console=out, transient=transient)


def size(count: int) -> str:
    """Bytes for people: 1.5 GiB."""
    value = float(count)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.2f} GiB"


def duration(seconds: float) -> str:
    """Seconds for people: 12.3 s, 4 min 05 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
