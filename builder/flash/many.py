"""Many sticks at once, each in a thread of its own: one that fails holds no other up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from builder.errors import FlashError
from builder.flash.disks import Disk
from builder.flash.drive import opened, why
from builder.flash.progress import Show
from builder.flash.writing import Written, write_stick


@dataclass(frozen=True)
class Outcome:
    """What became of a stick: `written`, or the `error`. `reread`: this machine sees its new partitions."""

    disk: Disk
    seconds: float
    written: Written | None = None
    error: FlashError | None = None
    reread: bool = True


def write_all(disks: Sequence[Disk], iso: Path, *, delta: bool, show: Show) -> list[Outcome]:
    """Write all of them; returns their outcomes in order. Ctrl-C ends each between two chunks, and is raised."""
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=len(disks)) as pool:
        jobs = [pool.submit(_write_one, disk, iso, delta, show, stop.is_set) for disk in disks]
        try:
            wait(jobs)
        except BaseException:
            stop.set()
            raise
    return [job.result() for job in jobs]


def _write_one(disk: Disk, iso: Path, delta: bool, show: Show, stopped: Callable[[], bool]) -> Outcome:
    started = time.monotonic()

    def tell(phase: str, done: int, total: int) -> None:
        show(disk.name, phase, done, total)

    try:
        with opened(disk.path, disk.size, disk.block) as drive:
            written = write_stick(drive, iso, delta=delta, tell=tell, stopped=stopped)
            reread = drive.reread_table()
    except FlashError as error:
        return Outcome(disk, time.monotonic() - started, error=error)
    except OSError as error:
        return Outcome(disk, time.monotonic() - started, error=why(error))
    return Outcome(disk, time.monotonic() - started, written, reread=reread)
