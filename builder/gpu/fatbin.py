"""Which graphics cards the kernels in a shared library can run on, read from its fat binaries.

nvcc embeds, for each translation unit, one container of images: machine code (cubin) for single
architectures and PTX, an assembly language that the driver compiles. The layout is NVIDIA's, not
documented; `cuobjdump --list-elf` and `--list-ptx` count the same (tests/full holds it to that).
Machine code runs on its own architecture and on later ones of the same major number, save that for
an `a` architecture (sm_90a) on nothing else (CUDA C++ Programming Guide, "Binary Compatibility").
"""

from __future__ import annotations

import mmap
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from builder.gpu.elf import NotElf, mapped, sections

CARDS = (80, 86, 89, 90)
_SECTIONS = (".nv_fatbin", "__nv_relfatbin")
_MAGIC = 0xBA55ED50
_CONTAINER = struct.Struct("<IHHQ")
_IMAGE = struct.Struct("<HHIQIIHHIIIQ")
_PTX, _CUBIN = 1, 2
_COMPRESSED, _SPECIFIC = 0x2000, 0x100000


@dataclass(frozen=True)
class Image:
    """One image of a container. `isa`: the PTX version as text, empty for machine code.

    `kernels`: False where the image is seen to hold none (nvcc emits such), True where it does or
    is compressed.
    """

    is_ptx: bool
    architecture: int
    specific: bool
    isa: str
    kernels: bool

    def runs_on(self, card: int) -> bool:
        """Whether this is machine code that `card` executes as it is."""
        if self.is_ptx:
            return False
        if self.specific:
            return self.architecture == card
        return self.architecture // 10 == card // 10 and self.architecture <= card

    def compiles_for(self, card: int) -> bool:
        """Whether this is PTX that a driver which knows its version could compile for `card`."""
        return self.is_ptx and self.architecture <= card


@dataclass
class LibraryKernels:
    """What one library holds. `runs_on` and `only_ptx`: translation units a card; `isa`: PTX images a version."""

    library: str
    units: int = 0
    machine_code: Counter[str] = field(default_factory=Counter)
    isa: Counter[str] = field(default_factory=Counter)
    runs_on: dict[int, int] = field(default_factory=lambda: dict.fromkeys(CARDS, 0))
    only_ptx: dict[int, int] = field(default_factory=lambda: dict.fromkeys(CARDS, 0))

    def count(self, unit: list[Image]) -> None:
        """Add one translation unit."""
        self.units += 1
        for image in unit:
            if image.is_ptx:
                self.isa[image.isa] += 1
            else:
                self.machine_code[f"sm_{image.architecture}{'a' if image.specific else ''}"] += 1
        has_kernels = all(image.kernels for image in unit if not image.is_ptx)
        for card in CARDS:
            if any(image.runs_on(card) for image in unit):
                self.runs_on[card] += 1
            elif has_kernels and any(image.compiles_for(card) for image in unit):
                self.only_ptx[card] += 1

    def as_json(self) -> dict[str, object]:
        """Plain values, keys in order."""
        return {
            "library": self.library,
            "units": self.units,
            "machine_code": dict(sorted(self.machine_code.items())),
            "ptx_isa": dict(sorted(self.isa.items())),
            "runs_on": {f"sm_{card}": count for card, count in self.runs_on.items()},
            "only_ptx": {f"sm_{card}": count for card, count in self.only_ptx.items()},
        }


def scan(tree: Path) -> list[LibraryKernels]:
    """Every library below `tree` that holds kernels, by name."""
    found = []
    for file in sorted(tree.rglob("*")):
        if ".so" in file.name and file.is_file() and not file.is_symlink():
            kernels = scan_library(file, str(file.relative_to(tree)))
            if kernels.units:
                found.append(kernels)
    return found


def scan_library(file: Path, name: str) -> LibraryKernels:
    """What `file` holds; nothing for a file that is no ELF library."""
    kernels = LibraryKernels(name)
    try:
        with mapped(file) as data:
            for unit in units(data):
                kernels.count(unit)
    except NotElf:
        return LibraryKernels(name)
    return kernels


def units(data: mmap.mmap) -> Iterator[list[Image]]:
    """The containers of a library, each a list of its images."""
    for section in sections(data):
        if section.name not in _SECTIONS:
            continue
        place, end = section.offset, section.offset + section.size
        while place + _CONTAINER.size <= end:
            magic, _, header, size = _CONTAINER.unpack_from(data, place)
            if magic != _MAGIC:
                place += 8  # containers begin at multiples of eight
                continue
            yield list(_images(data, place + header, place + header + size))
            place += header + size


def _images(data: mmap.mmap, place: int, end: int) -> Iterator[Image]:
    while place + _IMAGE.size <= end:
        kind, _, header, size, _, _, minor, major, architecture, _, _, flags = _IMAGE.unpack_from(data, place)
        if kind in (_PTX, _CUBIN):
            is_ptx = kind == _PTX
            kernels = is_ptx or bool(flags & _COMPRESSED) or _has_kernels(data, place + header, size)
            yield Image(is_ptx, architecture, bool(flags & _SPECIFIC), f"{major}.{minor}" if is_ptx else "", kernels)
        place += header + size


def _has_kernels(data: mmap.mmap, place: int, size: int) -> bool:
    """Whether an uncompressed cubin has code: a kernel is a section `.text.NAME` of it."""
    return data.find(b".text.", place, place + size) >= 0
