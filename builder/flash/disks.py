"""What the kernel says of a disk: what it is, how large, and who uses it. Read from sysfs and procfs."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from builder.errors import FlashError

_SYSTEM = re.compile(r"/($|boot($|/)|usr($|/)|var($|/)|home($|/)|nix($|/)|sysroot($|/)|run/live|run/inkstick)")


@dataclass(frozen=True)
class Use:
    """Why a disk cannot be had: `what` it is used for. `system`: this machine runs from it."""

    what: str
    remedy: str
    system: bool = False


@dataclass(frozen=True)
class Disk:
    """A block device. Sizes in bytes; `block` is its logical block. `disk` names the whole one of a partition."""

    name: str
    size: int
    block: int
    model: str = ""
    serial: str = ""
    transport: str = ""
    removable: bool = False
    read_only: bool = False
    disk: str = ""
    uses: tuple[Use, ...] = ()

    @property
    def path(self) -> Path:
        return Path("/dev", self.name)


@dataclass(frozen=True)
class Kernel:
    """Where the kernel tells of itself."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    udev: Path = Path("/run/udev/data")

    def find(self, path: Path) -> str:
        """The kernel's name of the device at `path`, as `sdb`. Raises FlashError if it is no block device."""
        others = f"plugged in: {', '.join(self.removable_disks()) or 'no stick that the kernel knows of'}"
        try:
            status = path.stat()
        except OSError:
            raise FlashError(f"there is no {path}", hint=others) from None
        if not stat.S_ISBLK(status.st_mode):
            raise FlashError(f"{path} is no disk", hint=others)
        number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
        return (self.sys / "dev/block" / number).resolve().name

    def removable_disks(self) -> list[str]:
        """Names under /dev of the disks that can be pulled out and hold a medium."""
        names = sorted(entry.name for entry in (self.sys / "class/block").glob("*") if self._is_removable(entry))
        return [f"/dev/{name}" for name in names if _number(self.sys / "class/block" / name / "size")]

    def describe(self, name: str) -> Disk:
        """Everything about the device `name`. Its `uses` are those of its partitions as well."""
        folder = (self.sys / "class/block" / name).resolve()
        whole = folder.parent if (folder / "partition").exists() else folder
        return Disk(
            name=name,
            size=512 * _number(folder / "size"),
            block=_number(whole / "queue/logical_block_size") or 512,
            model=" ".join(filter(None, (_text(whole / "device/vendor"), self._model(whole)))),
            serial=self._serial(whole),
            transport=_transport(whole),
            removable=self._is_removable(whole),
            read_only=_number(folder / "ro") == 1,
            disk=whole.name if whole != folder else "",
            uses=tuple(self._uses(folder)),
        )

    def _model(self, whole: Path) -> str:
        backing = _text(whole / "loop/backing_file")
        if backing:
            return f"loop device over {backing}"
        return _text(whole / "device/model") or _text(whole / "device/name")

    def _is_removable(self, whole: Path) -> bool:
        """Slots for memory cards say that they are not removable, and mean the slot."""
        return _number(whole / "removable") == 1 or _text(whole / "device/type") == "SD"

    def _serial(self, whole: Path) -> str:
        for line in _text(self.udev / f"b{_text(whole / 'dev')}").splitlines():
            if line.startswith("E:ID_SERIAL_SHORT="):
                return line.partition("=")[2]
        # A USB stick's number is its USB device's, some folders above the disk.
        for folder in ((whole / "device").resolve(), *(whole / "device").resolve().parents):
            if found := _text(folder / "serial"):
                return found
        return ""

    def _uses(self, folder: Path) -> list[Use]:
        found: list[Use] = []
        parts = [child for child in sorted(folder.iterdir()) if (child / "partition").exists()]
        for device in (folder, *parts):
            found += [*self._mounts(device), *self._swaps(device), *self._loops(device)]
            for holder in sorted((device / "holders").glob("*")):
                found += self._held(device, holder)
        return found

    def _mounts(self, device: Path) -> list[Use]:
        found = []
        for line in _text(self.proc / "self/mountinfo").splitlines():
            fields, _, rest = line.partition(" - ")
            number, place = fields.split(" ")[2], _unescaped(fields.split(" ")[4])
            source = _unescaped(rest.split(" ")[1])
            # btrfs gives a number of its own: its source alone tells.
            if number == _text(device / "dev") or source == f"/dev/{device.name}":
                remedy = f"umount {place}"
                found.append(Use(f"{device.name} is mounted at {place}", remedy, bool(_SYSTEM.match(place))))
        return found

    def _swaps(self, device: Path) -> list[Use]:
        rows = [line.split() for line in _text(self.proc / "swaps").splitlines()[1:]]
        names = {Path(row[0]).resolve().name for row in rows if row}
        if device.name not in names:
            return []
        return [Use(f"{device.name} is swap space", f"swapoff /dev/{device.name}", system=True)]

    def _loops(self, device: Path) -> list[Use]:
        found = []
        for backing in sorted((self.sys / "class/block").glob("loop*/loop/backing_file")):
            if _text(backing) == f"/dev/{device.name}":
                loop = backing.parent.parent.name
                found.append(Use(f"{loop} lies over {device.name}", f"losetup -d /dev/{loop}"))
        return found

    def _held(self, device: Path, holder: Path) -> list[Use]:
        """LVM, LUKS or RAID over a disk, and what is mounted from that."""
        name = _text(holder / "dm/name") or holder.name
        remedy = f"mdadm --stop /dev/{holder.name}" if holder.name.startswith("md") else f"dmsetup remove {name}"
        above = self._uses((self.sys / "class/block" / holder.name).resolve())
        system = any(use.system for use in above)
        return [Use(f"{device.name} is part of {name}", remedy, system), *above]


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""


def _number(file: Path) -> int:
    text = _text(file)
    return int(text) if text.isdecimal() else 0


def _unescaped(word: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word)


def _transport(whole: Path) -> str:
    path = str((whole / "device").resolve())
    for mark, name in (("/usb", "USB"), ("/mmc", "card"), ("/nvme", "NVMe"), ("/ata", "SATA"), ("/virtio", "virtio")):
        if mark in path:
            return name
    return ""
