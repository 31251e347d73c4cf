"""Partition tables of sticks, through sfdisk: where a vault fits, and making it a partition there.

The station's own stick is a hybrid ISO written with dd: its GPT names the ISO's end as the end of the
disk, and its MBR has a boot flag that firmware looks for. A vault behind the ISO moves the GPT's backup to
the stick's end and adds one entry; no sector between the table and the vault is written.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.media.mounting import CommandError
from runtime.media.tools import run
from runtime.media.vault_wire import LABEL, LEAST_BYTES

LUKS_TYPE = "CA7D7CCB-63ED-4C53-861C-1742536059CC"
"""Linux LUKS (Discoverable Partitions Specification): Windows gives it no letter and asks for no formatting."""
_ALIGN_BYTES = 1024 * 1024
_MBR_BYTES = 512
_MBR_TABLE = 446
_MBR_ENTRY = 16
_PROTECTIVE = 0xEE
_QUIET = ("--no-reread", "--no-tell-kernel", "--wipe", "never", "--wipe-partitions", "never")


@dataclass(frozen=True)
class Extent:
    """A part of a disk, in bytes."""

    start: int
    size: int


def free_end(disk: Path, size_bytes: int) -> Extent | None:
    """What is free behind the last partition of a GPT disk, up to its end; None if no vault fits there.

    Raises CommandError if there is no table that sfdisk can read.
    """
    table = _table(disk)
    if table.get("label") != "gpt":
        return None
    sector = int(table.get("sectorsize", 512))
    ends = [(each["start"] + each["size"]) * sector for each in table.get("partitions", ())]
    # Behind the ISO's last partition lies the table's backup as it was written: part of the ISO as well.
    return _fits(max(ends, default=0) + 2 * _backup_bytes(table), size_bytes - _backup_bytes(table))


def _backup_bytes(table: dict[str, Any]) -> int:
    """The GPT's backup: entries of 128 bytes (248 of them on an ISO), and one sector of header."""
    return int(table.get("table-length", 248)) * 128 + int(table.get("sectorsize", 512))


def _fits(start: int, end: int) -> Extent | None:
    start = -(-start // _ALIGN_BYTES) * _ALIGN_BYTES
    size = (end - start) // _ALIGN_BYTES * _ALIGN_BYTES
    return Extent(start, size) if size >= LEAST_BYTES else None


def vault_in(disk: Path) -> Extent | None:
    """The partition that is named as a vault. Raises CommandError if there is no readable table."""
    table = _table(disk)
    sector = int(table.get("sectorsize", 512))
    for each in table.get("partitions", ()):
        if each.get("name") == LABEL and str(each.get("type", "")).upper() == LUKS_TYPE:
            return Extent(each["start"] * sector, each["size"] * sector)
    return None


def append_vault(disk: Path, size_bytes: int) -> Extent:
    """Make the free end of a disk that is in use a partition; the kernel is not told, and need not be.

    Raises CommandError; the table is then as it was, or has its backup moved, which harms nothing.
    """
    extent = free_end(disk, size_bytes)
    if extent is None:
        raise CommandError("there is no room behind the last partition")
    before = _first_sector(disk)
    try:
        run("sfdisk", *_QUIET, "--relocate", "gpt-bak-std", str(disk))
        _script(disk, _entry(extent, int(_table(disk).get("sectorsize", 512))), *_QUIET, "--append")
    finally:
        _write_first_sector(disk, _with_size(before, size_bytes))
    found = vault_in(disk)
    if found != extent:
        raise CommandError("the partition table did not come back as it was written")
    return found


def drop_vault(disk: Path) -> None:
    """Take the vault's entry out of the table of a disk that is in use. Raises CommandError."""
    before = _first_sector(disk)
    for number, each in enumerate(_table(disk).get("partitions", ()), 1):
        if each.get("name") == LABEL:
            try:
                run("sfdisk", *_QUIET, "--delete", str(disk), str(_number(each, number)))
            finally:
                _write_first_sector(disk, before)


def whole_for_vault(disk: Path) -> None:
    """A new table with one partition over the whole stick: whatever was there is lost. Raises CommandError."""
    script = f'label: gpt\ntype={LUKS_TYPE}, name="{LABEL}"\n'
    _script(disk, script, "--wipe", "always", "--wipe-partitions", "always")


def _entry(extent: Extent, sector: int) -> str:
    return f'start={extent.start // sector}, size={extent.size // sector}, type={LUKS_TYPE}, name="{LABEL}"\n'


def _script(disk: Path, script: str, *options: str) -> None:
    run("sfdisk", *options, str(disk), stdin=script.encode())


def _table(disk: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = json.loads(run("sfdisk", "--json", str(disk)))["partitiontable"]
    except (ValueError, KeyError) as error:
        raise CommandError("sfdisk's answer is not a table") from error
    return table


def _number(partition: dict[str, Any], otherwise: int) -> int:
    digits = str(partition.get("node", ""))
    tail = digits[len(digits.rstrip("0123456789")) :]
    return int(tail) if tail else otherwise


def _first_sector(disk: Path) -> bytes:
    descriptor = os.open(disk, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, _MBR_BYTES, 0)
    finally:
        os.close(descriptor)


def _write_first_sector(disk: Path, content: bytes) -> None:
    descriptor = os.open(disk, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, content, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _with_size(sector: bytes, size_bytes: int) -> bytes:
    """The MBR as it was, its protective entry as long as the disk.

    sfdisk writes the protective entry alone, and with that takes away the active flag of a second, empty one,
    without which some BIOSes start from no such stick (xorriso's --mbr-force-bootable).
    """
    changed = bytearray(sector)
    for place in range(_MBR_TABLE, _MBR_TABLE + 4 * _MBR_ENTRY, _MBR_ENTRY):
        if changed[place + 4] == _PROTECTIVE:
            struct.pack_into("<I", changed, place + 12, min(size_bytes // 512 - 1, 0xFFFFFFFF))
    return bytes(changed)
