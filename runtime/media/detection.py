"""Which block devices are sticks: read from sysfs alone, no udev, nothing opened.

A stick is a disk that is removable or hangs on USB, and that nothing else uses: the disk that
carries the boot medium is mounted or holds the layers' loop devices, and so is never one.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

NEVER = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")
_SECTOR_BYTES = 512  # sysfs counts in these, whatever the disk's own sector size


@dataclass(frozen=True)
class Volume:
    """A partition, or a whole disk without partitions, of a stick.

    `plugged` names this very plugging-in: the kernel's disk sequence number changes when a stick is
    pulled out and put back, and when a card in a reader is changed.
    """

    name: str
    disk: str
    plugged: str
    size_bytes: int
    read_only: bool

    @property
    def id(self) -> str:
        return f"{self.name}-{self.plugged}"


def volumes(sysfs: Path, in_use: frozenset[str], never: tuple[str, ...] = NEVER) -> tuple[Volume, ...]:
    """The volumes of all sticks. `in_use`: "major:minor" of what others have mounted.

    `sysfs` is /sys/class/block. Devices that vanish while they are looked at are left out.
    """
    disks: dict[str, Path] = {}
    partitions: dict[str, list[Path]] = {}
    for name in sorted(os.listdir(sysfs)):
        if name.startswith(never):
            continue
        path = (sysfs / name).resolve()
        if (path / "partition").exists():
            partitions.setdefault(path.parent.name, []).append(path)
        else:
            disks[name] = path
    found: list[Volume] = []
    for name, disk in disks.items():
        parts = partitions.get(name, [])
        if not pluggable(disk) or any(_busy(path, in_use) for path in [disk, *parts]):
            continue
        with contextlib.suppress(OSError, ValueError):
            found += [_volume(path, disk) for path in parts or [disk]]
    return tuple(volume for volume in found if volume.size_bytes > 0)


def mounted_elsewhere(mountinfo: str, own: Path) -> frozenset[str]:
    """ "major:minor" of every mounted device, without mounts below `own` (proc_pid_mountinfo(5))."""
    used = set()
    for line in mountinfo.splitlines():
        columns = line.split(" ")
        if not Path(columns[4]).is_relative_to(own):
            used.add(columns[2])
    return frozenset(used)


def mounts_below(own: Path, mountinfo: str) -> tuple[Path, ...]:
    """Mount points below `own`, last mounted first."""
    points = [Path(line.split(" ")[4]) for line in mountinfo.splitlines()]
    return tuple(point for point in reversed(points) if own in point.parents)


def pluggable(disk: Path) -> bool:
    on_usb = any(piece.startswith("usb") and piece[3:].isdecimal() for piece in disk.parts)
    return on_usb or attribute(disk, "removable") == "1"


def _busy(path: Path, in_use: frozenset[str]) -> bool:
    try:
        held = bool(os.listdir(path / "holders"))
    except OSError:
        held = False
    return held or attribute(path, "dev") in in_use


def _volume(path: Path, disk: Path) -> Volume:
    return Volume(
        name=path.name,
        disk=disk.name,
        plugged=attribute(disk, "diskseq") or "0",
        size_bytes=int(attribute(path, "size")) * _SECTOR_BYTES,
        read_only=attribute(path, "ro") == "1" or attribute(disk, "ro") == "1",
    )


def attribute(path: Path, name: str) -> str:
    try:
        return (path / name).read_text().strip()
    except OSError:
        return ""
