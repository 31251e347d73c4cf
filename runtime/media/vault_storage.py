"""The block devices and the file system of a vault: losetup, blkid, mkfs.ext4, e2fsck, mount."""

from __future__ import annotations

from pathlib import Path

from runtime.media.mounting import CommandError
from runtime.media.partitions import Extent
from runtime.media.tools import run
from runtime.media.vault_wire import LABEL

_OPTIONS = "nosuid,nodev,noexec,noatime,data=ordered,errors=remount-ro"
"""Barriers are ext4's default; what must survive is written with fsync."""
_REPAIRED = 1
_FINE = frozenset({0, _REPAIRED})
_NO_SIGNATURE = frozenset({0, 2})


def luks_uuid(device: Path, extent: Extent | None = None) -> str | None:
    """Of a vault's header on a device, or at a place of it; None where there is none."""
    where = () if extent is None else ("--offset", str(extent.start), "--size", str(extent.size))
    output = run("blkid", "-o", "export", "-p", *where, str(device), fine=_NO_SIGNATURE)
    found = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    if found.get("TYPE") != "crypto_LUKS" or found.get("LABEL") != LABEL:
        return None
    return found.get("UUID")


def attach(disk: Path, extent: Extent) -> Path:
    """A loop device over a part of a disk. Raises CommandError."""
    where = ("--offset", str(extent.start), "--sizelimit", str(extent.size))
    return Path(run("losetup", "--find", "--show", *where, str(disk)).strip())


def detach(loop: Path) -> None:
    run("losetup", "--detach", str(loop))


def make_filesystem(device: Path, owner: int) -> None:
    """An empty ext4 whose root belongs to `owner`. Raises CommandError."""
    run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", f"root_owner={owner}:{owner}", str(device))


def check_filesystem(device: Path) -> bool:
    """Replay the journal and mend what a pulled stick left; whether more than that had to be mended.

    Raises CommandError if it cannot be mended.
    """
    try:
        run("e2fsck", "-p", str(device), fine=_FINE)
        return False
    except CommandError:
        run("e2fsck", "-f", "-y", str(device), fine=_FINE)
        return True


def mount(device: Path, target: Path) -> None:
    run("mount", "-t", "ext4", "-o", _OPTIONS, "--", str(device), str(target))


def unmount(target: Path) -> None:
    """Flushed if possible, and out of sight whoever still uses it."""
    try:
        run("umount", "--", str(target))
    except CommandError:
        try:
            run("umount", "--lazy", "--", str(target))
        except CommandError:
            return
