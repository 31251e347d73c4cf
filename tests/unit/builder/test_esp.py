"""The EFI system partition: the same bytes wherever it is made, and everything in it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.unit.builder.small_stick import FILES, write_stick, write_tree


def listed(esp: Path) -> list[str]:
    """Its paths in the order in which the file system has them."""
    told = subprocess.run(["mdir", "-/", "-b", "-i", esp, "::/"], check=True, capture_output=True, text=True)
    return [line.removeprefix("::/") for line in told.stdout.split()]


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    return write_stick(tmp_path, {"base": write_tree(tmp_path / "tree", FILES)})


def test_files_lie_in_the_order_of_their_names(stick: Path) -> None:
    """Copied in the order of a host's directories, two machines made two sticks."""
    found = listed(stick.parent / "work/esp.img")
    names = [path.rstrip("/") for path in found]
    assert {"EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/grubx64.efi", "EFI/BOOT/mmx64.efi", "boot/grub/grub.cfg"} <= set(names)
    for folder in {str(Path(name).parent) for name in names}:
        within = [name for name in names if str(Path(name).parent) == folder]
        assert within == sorted(within)


def test_the_clock_and_the_order_of_writing_are_not_in_it(stick: Path, tmp_path: Path) -> None:
    first = hashlib.sha256(stick.read_bytes()).hexdigest()
    again = tmp_path / "again"
    again.mkdir()
    (again / "boot").mkdir()
    for file in sorted((tmp_path / "boot").iterdir(), reverse=True):
        os.link(file, again / "boot" / file.name)
    time.sleep(2.1)  # FAT counts in steps of two seconds
    second = write_stick(again, {"base": tmp_path / "tree"})
    assert hashlib.sha256(second.read_bytes()).hexdigest() == first
