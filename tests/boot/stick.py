"""FAT32 stick images, filled and read with mtools: no mount, no root."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_stick(image: Path, files: dict[str, Path], *, label: str = "SCANS", mebibytes: int = 64) -> Path:
    """A stick without a partition table, with `files` (name on the stick: file here) in its root."""
    with image.open("wb") as stream:
        stream.truncate(mebibytes << 20)
    _run("mkfs.vfat", "-F", "32", "-s", "1", "-n", label, str(image))
    for name, file in files.items():
        _run("mcopy", "-i", str(image), str(file), f"::{name}")
    return image


def names_on(image: Path, folder: str = "") -> list[str]:
    """Names of the files in a folder of the stick, as `Inkstick`."""
    listing = _run("mdir", "-i", str(image), "-b", f"::{folder}")
    return [Path(line.removeprefix("::")).name for line in listing.splitlines()]


def read_from(image: Path, path: str) -> bytes:
    """A file's bytes. Raises CalledProcessError if there is no such file."""
    return subprocess.run(["mtype", "-i", str(image), f"::{path}"], check=True, capture_output=True).stdout


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=_UTF8)
    return done.stdout


_UTF8 = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1"}
