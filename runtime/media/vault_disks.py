"""Which disks can carry a vault: the station's own stick, and every other stick."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runtime.media import detection
from runtime.media.vault_wire import Kind

MEDIUM = Path("/run/inkstick/medium")
_SECTOR_BYTES = 512
_MAPPED = "dm-"


@dataclass(frozen=True)
class Disk:
    """`id` is new each time it is plugged in; `labels` are the names of the file systems on it."""

    name: str
    node: Path
    id: str
    kind: Kind
    label: str
    size_bytes: int
    read_only: bool
    partitions: tuple[tuple[Path, int], ...] = ()
    labels: tuple[str, ...] = ()


class Disks(Protocol):
    def present(self) -> tuple[Disk, ...]:
        """All of them, now."""


class SysfsDisks:
    """`labels` gives the names of the file systems that are known of a disk, by its name."""

    def __init__(
        self,
        labels: Callable[[str], tuple[str, ...]],
        sysfs: Path = Path("/sys/class/block"),
        devices: Path = Path("/dev"),
        mountinfo: Path = Path("/proc/thread-self/mountinfo"),
        mount_points: tuple[Path, ...] = (Path("/run/inkstick/media"), Path("/run/inkstick/vault")),
    ) -> None:
        self._labels = labels
        self._sysfs = sysfs
        self._devices = devices
        self._mountinfo = mountinfo
        self._mount_points = mount_points

    def present(self) -> tuple[Disk, ...]:
        mounts = [line.split(" ") for line in self._mountinfo.read_text().splitlines()]
        medium = {columns[2] for columns in mounts if Path(columns[4]) == MEDIUM}
        used = {
            columns[2]
            for columns in mounts
            if not any(Path(columns[4]).is_relative_to(own) for own in self._mount_points)
        } - medium
        found = []
        for name in sorted(os.listdir(self._sysfs)):
            with contextlib.suppress(OSError, ValueError):
                disk = self._disk(name, medium, used)
                if disk is not None:
                    found.append(disk)
        return tuple(found)

    def _disk(self, name: str, medium: set[str], used: set[str]) -> Disk | None:
        path = (self._sysfs / name).resolve()
        if name.startswith(detection.NEVER) or (path / "partition").exists() or not detection.pluggable(path):
            return None
        parts = sorted(part for part in path.iterdir() if (part / "partition").exists())
        numbers = {detection.attribute(each, "dev") for each in (path, *parts)}
        if numbers & used or any(_held_by_others(each) for each in (path, *parts)):
            return None
        size = int(detection.attribute(path, "size")) * _SECTOR_BYTES
        if size == 0:
            return None
        kind: Kind = "boot" if numbers & medium else "stick"
        model = " ".join(detection.attribute(path / "device", each) for each in ("vendor", "model"))
        labels = self._labels(name)
        nodes = [(self._devices / each.name, int(detection.attribute(each, "size")) * _SECTOR_BYTES) for each in parts]
        return Disk(
            name=name,
            node=self._devices / name,
            id=f"{name}-{detection.attribute(path, 'diskseq') or '0'}",
            kind=kind,
            label=next(iter(labels), "") or " ".join(model.split()) or name,
            size_bytes=size,
            read_only=detection.attribute(path, "ro") == "1",
            partitions=tuple(nodes),
            labels=labels,
        )


def _held_by_others(path: Path) -> bool:
    """RAID, another's volumes; a vault of ours that is open is held by its mapping, and is no other's."""
    try:
        holders = os.listdir(path / "holders")
    except OSError:
        return False
    return any(not _is_vault(path / "holders" / holder) for holder in holders)


def _is_vault(holder: Path) -> bool:
    name = detection.attribute(holder / "dm", "name")
    return holder.name.startswith(_MAPPED) and name.startswith("inkstick-vault-")
