"""Small ELF libraries with fat binaries, written as nvcc lays them out."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Code:
    """One image of a fat binary; `body` is what a cubin's section names are looked for in."""

    is_ptx: bool
    architecture: int
    specific: bool = False
    compressed: bool = False
    body: bytes = b".text.kernel\0"


def cubin(architecture: int, *, specific: bool = False, body: bytes = b".text.kernel\0") -> Code:
    return Code(False, architecture, specific, False, body)


def ptx(architecture: int) -> Code:
    return Code(True, architecture, False, True, b"//")


def container(images: list[Code]) -> bytes:
    body = b"".join(_image(image) for image in images)
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(body)) + body


def _image(code: Code) -> bytes:
    body = code.body + bytes(-len(code.body) % 8)
    flags = 0x11 | (0x2000 if code.compressed else 0) | (0x100000 if code.specific else 0)
    major, minor = (8, 8) if code.is_ptx else (1, 7)
    kind = 1 if code.is_ptx else 2
    numbers = (kind, 0x101, 64, len(body), 0, 0, minor, major, code.architecture, 0, 0, flags)
    head = struct.pack("<HHIQIIHHIIIQ", *numbers)
    return head + bytes(64 - len(head)) + body


def write_library(file: Path, units: list[list[Code]], section: str = ".nv_fatbin") -> None:
    """An ELF file of three sections: none, the names, and the fat binaries."""
    names = b"\0.shstrtab\0" + section.encode() + b"\0"
    code = b"".join(container(unit) + bytes(16) for unit in units)
    code += bytes(-len(code) % 8)
    header = 64
    table = header + len(names) + len(code)
    rows = [
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        (1, 3, 0, 0, header, len(names), 0, 0, 1, 0),
        (11, 1, 0, 0, header + len(names), len(code), 0, 0, 8, 0),
    ]
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    fields = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, len(rows), 1)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(ident + fields + names + code + b"".join(struct.pack("<IIQQQQIIQQ", *row) for row in rows))
