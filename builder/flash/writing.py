"""Write one stick: its room tested, the ISO written, everything read back and compared, flushed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from builder.errors import FlashError
from builder.flash.drive import CHUNK, Drive
from builder.flash.honesty import marked

HEAD = 1 << 20
"""The boot sector and both partition tables lie before this byte. They go last: a stick that was left half
written starts no machine, and is told from a whole one."""

EXTENT = 1 << 18
"""The smallest piece that the delta mode leaves alone, in bytes."""

_GPT_SIGNATURE = b"EFI PART"


class Tell(Protocol):
    """Told what is being done to a stick, and how far it is, in bytes."""

    def __call__(self, phase: str, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class Written:
    """`bytes` that went to the stick, of `total` in the ISO."""

    bytes: int
    total: int


def write_stick(drive: Drive, iso: Path, *, delta: bool, tell: Tell, stopped: Callable[[], bool]) -> Written:
    """Make `drive` begin with `iso`, byte for byte. With `delta`, what is right already is only read.

    Raises FlashError if the stick fails or `stopped` says so, OSError as the kernel gives it.
    """
    with iso.open("rb", buffering=0) as source:
        writing = _Writing(drive, source.fileno(), os.fstat(source.fileno()).st_size, tell, stopped)
        tell("testing its room", 0, 0)
        head = writing.from_iso(0)[:HEAD]
        drive.write(0, bytes(len(head)))
        with marked(drive) as marks:
            marks.lift(end=writing.padded)
            count = writing.body(delta=delta)
            drive.flush()
            drive.write(0, head)
            drive.flush()
            writing.read_back()
            marks.check()
        _wipe_old_gpt(drive, writing.padded)
        drive.flush()
    return Written(count + len(head), writing.size)


class _Writing:
    def __init__(self, drive: Drive, iso: int, size: int, tell: Tell, stopped: Callable[[], bool]) -> None:
        self._drive = drive
        self._iso = iso
        self._tell = tell
        self._stopped = stopped
        self.size = size
        self.padded = -(-size // drive.block) * drive.block

    def from_iso(self, offset: int) -> bytes:
        """The ISO's chunk at `offset`, filled up with zeros to the device's block."""
        wanted = min(CHUNK, self.size - offset)
        data = os.pread(self._iso, wanted, offset)
        if len(data) < wanted:
            raise FlashError("the ISO became shorter while it was written", hint="leave the file alone; write again")
        return data + bytes(-len(data) % self._drive.block)

    def body(self, *, delta: bool) -> int:
        """Everything but the head; returns how many bytes were written."""
        phase = "comparing and writing" if delta else "writing"
        count = 0
        for offset in range(0, self.size, CHUNK):
            self._go_on(phase, offset)
            data = self.from_iso(offset)
            there = self._drive.read(offset, len(data)) if delta else b""
            for start, end in _differing(data, there, HEAD if offset == 0 else 0):
                self._drive.write(offset + start, data[start:end])
                count += end - start
        return count

    def read_back(self) -> None:
        for offset in range(0, self.size, CHUNK):
            self._go_on("reading back", offset)
            data = self.from_iso(offset)
            found = self._drive.read(offset, len(data))
            if found != data:
                first = offset + next(place for place, byte in enumerate(data) if byte != found[place])
                raise FlashError(
                    f"it does not keep what is written: byte {first:,} reads back as another",
                    hint="a worn or counterfeit stick: throw it away",
                )
        self._go_on("reading back", self.size)

    def _go_on(self, phase: str, done: int) -> None:
        if self._stopped():
            raise FlashError("interrupted: it is half written and starts no machine", hint="write it again")
        self._tell(phase, done, self.size)


def _differing(data: bytes, there: bytes, begin: int) -> list[tuple[int, int]]:
    """The parts of `data` from `begin` on that are not in `there`, as (start, end); neighbours are joined."""
    if not there:
        return [(begin, len(data))] if begin < len(data) else []
    found: list[tuple[int, int]] = []
    for start in range(begin, len(data), EXTENT):
        end = min(start + EXTENT, len(data))
        if data[start:end] == there[start:end]:
            continue
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _wipe_old_gpt(drive: Drive, end: int) -> None:
    """An older table's copy in the last sector would be taken for this stick's by some programs."""
    last = drive.size - drive.block
    if last >= end and drive.read(last, drive.block).startswith(_GPT_SIGNATURE):
        drive.write(last, bytes(drive.block))
