"""Stick images of every file system that clerks bring, filled and read without mounting: no kernel has them all."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.boot import stick as fat

_MEBIBYTES = 64
_UTF8 = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class FileSystem:
    """`make(image, files, label)` fills a new stick; `read(image, folder, name)` gives a file's bytes."""

    make: Callable[[Path, dict[str, Path], str], None]
    read: Callable[[Path, str, str], bytes]


def _fat32(image: Path, files: dict[str, Path], label: str) -> None:
    fat.make_stick(image, files, label=label)


def _exfat(image: Path, files: dict[str, Path], label: str) -> None:
    source = image.with_suffix(".files")
    _gathered(files, source)
    _empty(image)
    _run("mkfs.exfat", "-L", label, str(image))
    _fill_exfat(image, source)


def exfat_holding(image: Path, file: Path, path: str) -> None:
    """A new exFAT file system, just large enough, with `file` at `path`."""
    source = image.with_suffix(".files")
    inside = source / path.lstrip("/")
    inside.parent.mkdir(parents=True)
    shutil.copyfile(file, inside)
    with image.open("wb") as stream:
        stream.truncate(((file.stat().st_size >> 20) + 64) << 20)
    _run("mkfs.exfat", str(image))
    _fill_exfat(image, source)
    shutil.rmtree(source)


def _fill_exfat(image: Path, source: Path) -> None:
    """Through FUSE, in a mount namespace that ends with the command."""
    point = image.with_suffix(".point")
    point.mkdir()
    script = """
        device=$(losetup --find --show "$1")
        trap 'losetup --detach "$device"' EXIT
        mount.exfat-fuse "$device" "$2"
        cp -r "$3"/. "$2"/
        umount "$2"
    """
    _run("unshare", "--mount", "sh", "-ec", script, "sh", str(image), str(point), str(source))
    point.rmdir()


def _ntfs(image: Path, files: dict[str, Path], label: str) -> None:
    _empty(image)
    _run("mkntfs", "--quick", "--force", "--label", label, str(image))
    for name, file in files.items():
        _run("ntfscp", "--force", str(image), str(file), name)


def _ext4(image: Path, files: dict[str, Path], label: str) -> None:
    """With a name as old systems wrote them: bytes of GB18030."""
    source = image.with_suffix(".files")
    _gathered(
        {name.encode("gb18030").decode("utf-8", "surrogateescape"): file for name, file in files.items()}, source
    )
    _empty(image)
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-d", str(source), str(image))


def _read_exfat(image: Path, folder: str, name: str) -> bytes:
    """The Sleuth Kit knows exFAT: an inode number by name, then its bytes."""
    inode = _inode(_run("fls", "-f", "exfat", str(image)), folder)
    inode = _inode(_run("fls", "-f", "exfat", str(image), inode), name)
    return _bytes("icat", "-f", "exfat", str(image), inode)


def _inode(listing: str, name: str) -> str:
    found = re.search(rf"^[rd]/[rd] (\d+(?:-\d+)*):\t{re.escape(name)}$", listing, re.MULTILINE)
    assert found is not None, f"no {name} in:\n{listing}"
    return found[1]


def _read_ntfs(image: Path, folder: str, name: str) -> bytes:
    return _bytes("ntfscat", "--force", str(image), f"{folder}/{name}")


def _read_ext4(image: Path, folder: str, name: str) -> bytes:
    content = _bytes("debugfs", "-R", f'cat "/{folder}/{name}"', str(image))
    assert content, f"no {folder}/{name}"
    return content


FILE_SYSTEMS = {
    "FAT32": FileSystem(_fat32, lambda image, folder, name: fat.read_from(image, f"{folder}/{name}")),
    "EXFAT": FileSystem(_exfat, _read_exfat),
    "NTFS": FileSystem(_ntfs, _read_ntfs),
    "EXT4": FileSystem(_ext4, _read_ext4),
}
"""By the label that their sticks get."""


def _empty(image: Path) -> None:
    with image.open("wb") as stream:
        stream.truncate(_MEBIBYTES << 20)


def _gathered(files: dict[str, Path], folder: Path) -> None:
    folder.mkdir()
    for name, file in files.items():
        shutil.copyfile(file, folder / name)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="surrogateescape", env=_UTF8)
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
    return done.stdout


def _bytes(*command: str) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, env=_UTF8).stdout
