"""As much of ELF64 (System V ABI, chapter 4) as reading libraries' sections and names takes."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SECTION = struct.Struct("<IIQQQQIIQQ")
_DYNAMIC_ENTRY = struct.Struct("<qQ")
_NOBITS, _DYNAMIC = 8, 6
_DT_NEEDED, _DT_SONAME = 1, 14


@dataclass(frozen=True)
class Section:
    """A section: its name, and where its bytes lie in the file. `link`: the section it refers to."""

    name: str
    kind: int
    offset: int
    size: int
    link: int


class NotElf(Exception):
    """The file is no 64-bit little-endian ELF file, or its tables do not fit into it."""


@contextmanager
def mapped(file: Path) -> Iterator[mmap.mmap]:
    """The file's bytes, mapped. Raises NotElf for an empty file."""
    with file.open("rb") as stream:
        try:
            view = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise NotElf(f"{file} is empty") from None
        try:
            yield view
        finally:
            view.close()


def sections(data: mmap.mmap) -> list[Section]:
    """All sections that have bytes in the file. Raises NotElf."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise NotElf("not a 64-bit little-endian ELF file")
    try:
        (table,) = struct.unpack_from("<Q", data, 0x28)
        size, count, names = struct.unpack_from("<HHH", data, 0x3A)
        if table == 0 or size != _SECTION.size:
            return []
        if count == 0:  # more than 65279 sections: the number stands in the first one
            count = _SECTION.unpack_from(data, table)[5]
        if names == 0xFFFF:
            names = _SECTION.unpack_from(data, table)[6]
        rows = [_SECTION.unpack_from(data, table + index * size) for index in range(count)]
    except struct.error as error:
        raise NotElf(str(error)) from None
    start = rows[names][4]
    found = []
    for row in rows:
        end = data.find(b"\0", start + row[0])
        name = data[start + row[0] : end].decode(errors="replace")
        found.append(Section(name, row[1], row[4], 0 if row[1] == _NOBITS else row[5], row[6]))
    return found


def soname(file: Path) -> str | None:
    """The name under which programs ask for a shared library."""
    found = _dynamic_strings(file, _DT_SONAME)
    return found[0] if found else None


def needed(file: Path) -> list[str]:
    """The libraries that a library asks for."""
    return _dynamic_strings(file, _DT_NEEDED)


def _dynamic_strings(file: Path, tag: int) -> list[str]:
    with mapped(file) as data:
        table = sections(data)
        found = []
        for section in (row for row in table if row.kind == _DYNAMIC):
            strings = table[section.link]
            for kind, value in _DYNAMIC_ENTRY.iter_unpack(data[section.offset : section.offset + section.size]):
                if kind == tag:
                    begin = strings.offset + value
                    found.append(data[begin : data.find(b"\0", begin)].decode())
        return found
