"""What makes two builds differ, by name: the layer, the file inside it, the first differing offset.

Layers are compared through unsquashfs: nothing is mounted, and nobody's rights are needed.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from builder import isofs
from builder.errors import VerifyError
from builder.isofs import Extent
from builder.layer_audit import LayerFile
from builder.manifest import Layer, Manifest, find_in

INITRD = "/inkstick/boot/initrd.img"
_LAYERS = "/inkstick/layers/"
_CHUNK = 1 << 20
_ROW = re.compile(
    r"^(?P<mode>\S{10}) (?P<owner>\S+)\s+(?P<size>\d+|\d+,\s*\d+) (?P<time>\S+ \S+) squashfs-root(?P<path>/.*|)$"
)


@dataclass(frozen=True)
class Difference:
    """`place`: "ISO" or a layer's name. `offset` in bytes, from the start of the file; None where it is not bytes."""

    place: str
    file: str
    what: str
    offset: int | None = None


def differences(before: Path, after: Path) -> list[Difference]:
    """Everything that sets two ISOs apart. Empty if and only if their bytes are the same.

    Raises VerifyError if one is no ISO of ours. Needs room for one layer unpacked twice in $TMPDIR.
    """
    if _first_difference(_whole(before), _whole(after)) is None:
        return []
    files = isofs.files(before), isofs.files(after)
    found = [*_in_files(before, after, *files), *_in_layers(before, after, *files)]
    if not any(one.place == "ISO" for one in found):
        found += _in_structures(before, after, *files)
    return found


def _in_files(
    before: Path, after: Path, files: dict[str, Extent], others: dict[str, Extent]
) -> Iterator[Difference]:
    """Files of the ISO itself. Layers are named after their content: see `_in_layers`."""
    for path in sorted({*files, *others}):
        if path.startswith(_LAYERS):
            continue
        ours, theirs = files.get(path), others.get(path)
        if ours is None or theirs is None:
            yield Difference("ISO", path, "only in the second" if ours is None else "only in the first")
            continue
        offset = _first_difference((before, ours), (after, theirs))
        if offset is not None:
            yield Difference("ISO", path, _sizes(ours.size, theirs.size), offset)


def _in_structures(
    before: Path, after: Path, files: dict[str, Extent], others: dict[str, Extent]
) -> Iterator[Difference]:
    """What belongs to no file: boot sectors, partition tables, directories, the EFI system partition."""
    if before.stat().st_size != after.stat().st_size or {
        path: extent.offset for path, extent in files.items()
    } != {path: extent.offset for path, extent in others.items()}:
        return  # where files lie differs, and with that all that names them
    end = 0
    for extent in [*sorted(files.values(), key=lambda extent: extent.offset), Extent("", before.stat().st_size, 0)]:
        gap = Extent("", end, max(0, extent.offset - end))
        offset = _first_difference((before, gap), (after, gap))
        if offset is not None:
            yield Difference("ISO", "what belongs to no file (boot sectors, tables, EFI partition)", "", end + offset)
        end = max(end, extent.offset + extent.size)


def _in_layers(
    before: Path, after: Path, files: dict[str, Extent], others: dict[str, Extent]
) -> Iterator[Difference]:
    ours, theirs = _layers(before, files), _layers(after, others)
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        if name not in ours or name not in theirs:
            yield Difference(name, "", "only in the second" if name not in ours else "only in the first")
            continue
        extents = files[_LAYERS + ours[name].file], others[_LAYERS + theirs[name].file]
        offset = _first_difference((before, extents[0]), (after, extents[1]))
        if offset is None:
            continue
        if ours[name].encrypted or theirs[name].encrypted:
            yield Difference(name, "the encrypted image", _sizes(extents[0].size, extents[1].size), offset)
            continue
        inside = list(compare_trees(name, LayerFile(before, extents[0]), LayerFile(after, extents[1])))
        yield from inside or [Difference(name, "the image itself (order, packing)", "", offset)]


def _layers(iso: Path, files: dict[str, Extent]) -> dict[str, Layer]:
    if INITRD not in files:
        raise VerifyError(f"{iso} is no Inkstick", hint="it has no initramfs of ours")
    found: Manifest = find_in(isofs.read(iso, files[INITRD]))
    return {layer.name: layer for layer in found.layers if _LAYERS + layer.file in files}


def compare_trees(place: str, before: LayerFile, after: LayerFile) -> Iterator[Difference]:
    """What differs inside two squashfs images: entries, rights, owners, time stamps, links, content."""
    ours, theirs = _rows(before), _rows(after)
    files: list[str] = []
    alone: str | None = None
    for path in sorted({*ours, *theirs}):
        if path not in ours or path not in theirs:
            if alone is None or not path.startswith(f"{alone}/"):  # a folder stands for what is in it
                alone = path
                yield Difference(place, path or "/", "only in the second" if path not in ours else "only in the first")
        elif ours[path] != theirs[path]:
            told = [f"{kind} {a} -> {b}" for kind, (a, b) in _both(ours[path], theirs[path]).items() if a != b]
            yield Difference(place, path or "/", ", ".join(told))
        if all(path in rows and rows[path]["mode"][0] == "-" for rows in (ours, theirs)):
            files.append(path)
    with tempfile.TemporaryDirectory(prefix="inkstick-diff-") as room:
        trees = Path(room) / "before", Path(room) / "after"
        for layer, tree in zip((before, after), trees, strict=True):
            layer.unpack(tree)
        for path in files:
            offset = _first_difference(_whole(trees[0] / path[1:]), _whole(trees[1] / path[1:]))
            if offset is not None:
                yield Difference(place, path, "content", offset)


def _rows(layer: LayerFile) -> dict[str, dict[str, str]]:
    words = ["unsquashfs", "-lln", "-UTC", "-o", str(layer.extent.offset), str(layer.iso)]
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode != 0:
        raise VerifyError(f"{layer.extent.path} cannot be read: {done.stderr.decode(errors='replace').strip()}")
    rows = {}
    for line in done.stdout.decode(errors="surrogateescape").splitlines():
        if found := _ROW.match(line):
            path, _, target = found["path"].partition(" -> ")
            size = found["size"] if found["mode"][0] != "d" else ""  # a folder's says how its names are packed
            rows[path] = {**{kind: found[kind] for kind in ("mode", "owner", "time")}, "size": size, "link": target}
    return rows


def _both(ours: dict[str, str], theirs: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {kind: (ours[kind], theirs[kind]) for kind in ours}


def _sizes(ours: int, theirs: int) -> str:
    return "content" if ours == theirs else f"{ours} bytes -> {theirs} bytes"


def _whole(file: Path) -> tuple[Path, Extent]:
    return file, Extent(str(file), 0, file.stat().st_size)


def _first_difference(ours: tuple[Path, Extent], theirs: tuple[Path, Extent]) -> int | None:
    """The first offset at which two stretches differ, which may be where the shorter ends; None if they are equal."""
    with ours[0].open("rb") as one, theirs[0].open("rb") as other:
        one.seek(ours[1].offset)
        other.seek(theirs[1].offset)
        return _differ(one, ours[1].size, other, theirs[1].size)


def _differ(one: BinaryIO, size: int, other: BinaryIO, other_size: int) -> int | None:
    place, common = 0, min(size, other_size)
    while place < common:
        count = min(_CHUNK, common - place)
        ours, theirs = one.read(count), other.read(count)
        if ours != theirs:
            return place + next(n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b)
        place += count
    return None if size == other_size else common
