"""Boot structures of a hybrid ISO, read from the file alone: El Torito catalogue, MBR, GPT and its copy.

UEFI specification 2.10, section 5 (GPT); El Torito 1.0. Everything must lie inside the file, and checksums hold.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from builder.errors import VerifyError

_SECTOR, _BLOCK = 512, 2048
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_ESP = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
_CATALOGUE_POINTER = 17 * _BLOCK + 0x47
_BIOS, _UEFI = 0x00, 0xEF


@dataclass(frozen=True)
class Partition:
    """Sectors, both ends included."""

    kind: bytes
    first: int
    last: int


def check_gpt(iso: Path) -> str:
    """The table and its copy at the end agree, and hold an EFI system partition with a FAT in it."""
    sectors = iso.stat().st_size // _SECTOR
    with iso.open("rb") as stream:
        mbr = _read(stream, 0, _SECTOR)
        if mbr[510:] != b"\x55\xaa":
            raise VerifyError("no boot signature in the first sector")
        rows = list(struct.iter_unpack("<B3xB3xII", mbr[446:510]))
        if not any(status == 0x80 for status, *_ in rows):
            raise VerifyError("no partition is marked bootable, which some BIOSes insist on")
        if any(first + count > sectors for _, kind, first, count in rows if kind not in (0, 0xEE)):
            raise VerifyError("a partition of the MBR reaches beyond the end of the file")
        found = _table(stream, 1, sectors)
        if _table(stream, sectors - 1, sectors) != found:
            raise VerifyError("the copy of the GPT at the end of the file is not the same")
        esps = [partition for partition in found if partition.kind == _ESP]
        if len(esps) != 1:
            raise VerifyError(f"{len(esps)} EFI system partitions, one expected")
        if _read(stream, esps[0].first * _SECTOR, _SECTOR)[510:] != b"\x55\xaa":
            raise VerifyError("the EFI system partition holds no file system")
    return f"hybrid MBR, GPT and its copy; {len(found)} partitions"


def _table(stream: BinaryIO, sector: int, sectors: int) -> list[Partition]:
    where = "GPT" if sector == 1 else "copy of the GPT"
    raw = _read(stream, sector * _SECTOR, _SECTOR)
    fields = _HEADER.unpack(raw[: _HEADER.size])
    mark, length, checksum, at, start, count, width, entries = (fields[n] for n in (0, 2, 3, 5, 10, 11, 12, 13))
    if mark != b"EFI PART":
        raise VerifyError(f"there is no {where} in sector {sector}")
    if not _HEADER.size <= length <= _SECTOR or zlib.crc32(raw[:16] + bytes(4) + raw[20:length]) != checksum:
        raise VerifyError(f"the {where} has a wrong checksum")
    if at != sector or width != _ENTRY.size or count > 1024:
        raise VerifyError(f"the {where} is not where it says, or of another size")
    table = _read(stream, start * _SECTOR, count * width)
    if zlib.crc32(table) != entries:
        raise VerifyError(f"the entries of the {where} have a wrong checksum")
    rows = [_ENTRY.unpack_from(table, number * width) for number in range(count)]
    found = [Partition(kind, first, last) for kind, _, first, last, *_ in rows if any(kind)]
    if any(not partition.first <= partition.last < sectors for partition in found):
        raise VerifyError("a partition of the GPT reaches beyond the end of the file")
    return found


def check_el_torito(iso: Path) -> str:
    """A catalogue with right sums, whose images, for BIOS and for UEFI, lie inside the file and are not empty."""
    size = iso.stat().st_size
    with iso.open("rb") as stream:
        (place,) = struct.unpack("<I", _read(stream, _CATALOGUE_POINTER, 4))
        catalogue = _read(stream, place * _BLOCK, _BLOCK)
        if catalogue[0] != 1 or catalogue[30:32] != b"\x55\xaa" or sum(struct.unpack("<16H", catalogue[:32])) & 0xFFFF:
            raise VerifyError("the El Torito catalogue is damaged")
        platforms = set()
        for platform, entry in _entries(catalogue):
            bootable, _, _, count, first = struct.unpack_from("<B3sHHI", entry)
            if bootable != 0x88:
                continue
            if first * _BLOCK + max(count, 1) * _SECTOR > size:
                raise VerifyError("an El Torito image reaches beyond the end of the file")
            if not any(_read(stream, first * _BLOCK, _SECTOR)):
                raise VerifyError("an El Torito image is empty")
            platforms.add(platform)
    if platforms != {_BIOS, _UEFI}:
        told = ", ".join({_BIOS: "BIOS", _UEFI: "UEFI"}.get(one, hex(one)) for one in sorted(platforms)) or "none"
        raise VerifyError(f"El Torito entries: {told}; BIOS and UEFI expected")
    return "El Torito entries for both"


def _entries(catalogue: bytes) -> list[tuple[int, bytes]]:
    """(platform, entry): the default one, then those of the sections."""
    found = [(catalogue[1], catalogue[32:64])]
    place = 64
    while place + 64 <= len(catalogue) and catalogue[place] in (0x90, 0x91):
        last, platform = catalogue[place] == 0x91, catalogue[place + 1]
        (count,) = struct.unpack_from("<H", catalogue, place + 2)
        for number in range(1, count + 1):
            found.append((platform, catalogue[place + 32 * number : place + 32 * (number + 1)].ljust(32, b"\0")))
        place += 32 * (count + 1)
        if last:
            break
    return found


def _read(stream: BinaryIO, place: int, count: int) -> bytes:
    stream.seek(place)
    data = stream.read(count)
    if len(data) != count:
        raise VerifyError("the file ends before what boots it does")
    return data
