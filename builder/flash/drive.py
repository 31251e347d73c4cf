"""A stick as bytes: read and written past the page cache, so that what is compared comes from the stick."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from builder.errors import FlashError

CHUNK = 4 << 20
"""Bytes that are read or written at once: a multiple of every stick's erase block up to it."""

_BLKFLSBUF = 0x1261
_BLKRRPART = 0x125F


class Drive(Protocol):
    """A block device. Offsets and lengths in bytes, multiples of `block`; a length is at most CHUNK."""

    size: int
    block: int

    def read(self, offset: int, length: int) -> bytes: ...

    def write(self, offset: int, data: bytes) -> None: ...

    def flush(self) -> None:
        """Return when the stick says that it has everything."""


class DirectDrive:
    """A block device through O_DIRECT, with one aligned buffer of CHUNK bytes."""

    def __init__(self, handle: int, size: int, block: int) -> None:
        self.size = size
        self.block = block
        self._handle = handle
        # Anonymous memory begins at a page: aligned enough for every device.
        self._buffer = mmap.mmap(-1, CHUNK)

    def read(self, offset: int, length: int) -> bytes:
        with memoryview(self._buffer) as view:
            done = 0
            while done < length:
                count = os.preadv(self._handle, [view[done:length]], offset + done)
                if count == 0:
                    raise OSError(errno.EIO, f"ends at byte {offset + done}")
                done += count
            return bytes(view[:length])

    def write(self, offset: int, data: bytes) -> None:
        with memoryview(self._buffer) as view:
            view[: len(data)] = data
            done = 0
            while done < len(data):
                count = os.pwritev(self._handle, [view[done : len(data)]], offset + done)
                if count == 0:
                    raise OSError(errno.ENOSPC, f"takes nothing at byte {offset + done}")
                done += count

    def flush(self) -> None:
        os.fsync(self._handle)

    def reread_table(self) -> bool:
        """Let the kernel forget what it kept of the old contents, and read the new partition table.

        False where it does not: the stick has to be plugged in anew before this machine sees what is on it.
        """
        with suppress(OSError):
            fcntl.ioctl(self._handle, _BLKFLSBUF)
        try:
            fcntl.ioctl(self._handle, _BLKRRPART)
        except OSError as error:
            return error.errno == errno.EINVAL  # a device without partitions, as most loop devices are
        return True

    def close(self) -> None:
        self._buffer.close()
        os.close(self._handle)


@contextmanager
def opened(path: Path, size: int, block: int) -> Iterator[DirectDrive]:
    """Open a device for nobody else: the kernel refuses what is mounted anywhere or held by another device.

    Raises FlashError if it cannot be had.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_DIRECT | os.O_EXCL | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise FlashError(
                "it is in use: something has it mounted or holds it, maybe out of this terminal's sight",
                hint="close what uses it, or pull it out and plug it in again",
            ) from None
        raise why(error) from None
    drive = DirectDrive(handle, size, block)
    try:
        yield drive
    finally:
        drive.close()


def why(error: OSError) -> FlashError:
    """What the kernel's number means for somebody with a stick in the hand."""
    number = error.errno
    if number in (errno.ENODEV, errno.ENXIO, errno.ENOMEDIUM, errno.ESHUTDOWN, errno.ENOENT):
        return FlashError("it was pulled out, or lost its connection", hint="plug it in firmly and write it again")
    if number in (errno.EROFS, errno.EPERM, errno.EACCES):
        return FlashError("it is write-protected", hint="slide its switch; some sticks lock themselves when worn out")
    if number == errno.ENOSPC:
        return FlashError(f"it has less room than it claims ({error.strerror})", hint="throw it away")
    return FlashError(
        f"reading or writing failed: {error.strerror} (errno {number})",
        hint="try another port, without a hub; if it fails again, throw the stick away",
    )
