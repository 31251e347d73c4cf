"""dm-verity: the hash tree at the end of an image, and its root hash.

The format is the kernel's (Documentation/admin-guide/device-mapper/verity.rst), version 1, SHA-256,
4096-byte data and hash blocks. `check` reads it in plain Python, so that a layer inside an ISO can
be verified in place, without a loop device and without root.
"""

from __future__ import annotations

import hashlib
import re
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from builder.errors import VerifyError
from builder.run import output

BLOCK = 4096
_HASHES_PER_BLOCK = BLOCK // 32
_SUPERBLOCK = struct.Struct("<8sII16s32sIIQH6x256s168x")
_NAMESPACE = uuid.UUID("5f4c2b1e-6d3a-5b90-8f27-3c1d9e7a4b60")


@dataclass(frozen=True)
class Verity:
    """Where an image's hash tree begins (bytes), and the root hash over its data."""

    hash_offset: int
    root_hash: str


def append(image: Path, name: str) -> Verity:
    """Append a hash tree to `image`, whose size must be a multiple of 4096 bytes.

    Salt and UUID follow from the layer's name alone: equal content has an equal root hash.
    """
    offset = image.stat().st_size
    assert offset % BLOCK == 0, "mksquashfs pads to 4096 bytes"
    salt = hashlib.sha256(f"inkstick layer {name}".encode()).hexdigest()
    printed = output(
        [
            *("veritysetup", "format", f"--hash-offset={offset}", f"--salt={salt}", "--hash=sha256"),
            *(f"--uuid={uuid.uuid5(_NAMESPACE, name)}", image, image),
        ]
    )
    found = re.search(r"^Root hash:\s*([0-9a-f]{64})$", printed, re.MULTILINE)
    if found is None:
        raise VerifyError(f"veritysetup printed no root hash for {image}")
    return Verity(offset, found[1])


def check(stream: BinaryIO, start: int, verity: Verity, on_bytes: Callable[[int], None] = lambda count: None) -> None:
    """Verify the image that begins at `start` of `stream`: every data block and the whole tree.

    Raises VerifyError naming the first altered block. `on_bytes` gets each piece's size.
    """
    stream.seek(start + verity.hash_offset)
    magic, version, kind, _, algorithm, data_size, hash_size, blocks, salt_size, salt = _SUPERBLOCK.unpack(
        stream.read(_SUPERBLOCK.size)
    )
    header = (magic.rstrip(b"\0"), version, kind, algorithm.rstrip(b"\0"), data_size, hash_size)
    if header != (b"verity", 1, 1, b"sha256", BLOCK, BLOCK) or blocks * BLOCK != verity.hash_offset:
        raise VerifyError("the hash tree's superblock is damaged")
    salted = hashlib.sha256(salt[:salt_size])
    stream.seek(start)
    leaves = bytearray()
    left = blocks
    while left:
        piece = stream.read(min(left, 1024) * BLOCK)
        if not piece:
            raise VerifyError("the image is cut short")
        for position in range(0, len(piece), BLOCK):
            digest = salted.copy()
            digest.update(memoryview(piece)[position : position + BLOCK])
            leaves += digest.digest()
        left -= len(piece) // BLOCK
        on_bytes(len(piece))
    levels = _tree(bytes(leaves), salted)
    _compare(stream, start + verity.hash_offset + BLOCK, levels)
    top = salted.copy()
    top.update(levels[-1])
    if top.hexdigest() != verity.root_hash:
        raise VerifyError(f"root hash is {top.hexdigest()}, not {verity.root_hash}")


def _tree(leaves: bytes, salted: hashlib._Hash) -> list[bytes]:
    """Hash blocks of every level, lowest first, each padded to whole blocks."""
    levels = [_pad(leaves)]
    while len(levels[-1]) > BLOCK:
        below = levels[-1]
        row = bytearray()
        for position in range(0, len(below), BLOCK):
            digest = salted.copy()
            digest.update(below[position : position + BLOCK])
            row += digest.digest()
        levels.append(_pad(bytes(row)))
    return levels


def _pad(row: bytes) -> bytes:
    return row + bytes(-len(row) % BLOCK)


def _compare(stream: BinaryIO, start: int, levels: list[bytes]) -> None:
    stream.seek(start)
    for level in reversed(levels):
        stored = stream.read(len(level))
        if stored == level:
            continue
        same = next((i for i, (a, b) in enumerate(zip(stored, level, strict=False)) if a != b), len(stored))
        if level is levels[0]:
            raise VerifyError(f"data block {same // 32} is altered")
        raise VerifyError("the hash tree is altered")
