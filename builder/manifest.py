"""The manifest: the layers in stacking order, inside the initramfs; and its fuller twin beside the ISO."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from builder.errors import VerifyError

CPIO_NAME = "inkstick/manifest"
_HEADER = "inkstick-manifest 1"
_SEAL = "luks2"


@dataclass(frozen=True)
class Layer:
    """One layer as the boot script opens it. Sizes in bytes; `file` is its name on the medium.

    `encrypted`: what the hash tree is over is a LUKS2 container, and the file system is in that.
    """

    name: str
    file: str
    size: int
    hash_offset: int
    root_hash: str
    encrypted: bool = False

    @property
    def line(self) -> str:
        seal = f" {_SEAL}" if self.encrypted else ""
        return f"layer {self.name} {self.file} {self.size} {self.hash_offset} {self.root_hash}{seal}"


@dataclass(frozen=True)
class Manifest:
    """Layers, bottom first. Its text is what the initramfs carries; its id names the medium."""

    profile: str
    version: str
    layers: tuple[Layer, ...]

    @property
    def text(self) -> str:
        rows = [_HEADER, f"profile {self.profile}", f"version {self.version}"]
        rows += [layer.line for layer in self.layers]
        return "\n".join(rows) + "\n"

    @property
    def id(self) -> str:
        """The first 16 hexadecimal digits of the text's SHA-256: a file so named marks the medium."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @property
    def cpio(self) -> bytes:
        """A newc archive with the manifest alone, to be appended to the initramfs."""
        return archive({CPIO_NAME: self.text.encode()})


def parse(text: str) -> Manifest:
    """Read a manifest's text. Raises VerifyError for anything that is not one."""
    lines = text.splitlines()
    words = [line.split(" ") for line in lines]
    if not lines or lines[0] != _HEADER or any(row[0] not in ("profile", "version", "layer") for row in words[1:]):
        raise VerifyError("the initramfs carries no manifest that this version understands")
    single = {row[0]: row[1] for row in words[1:] if row[0] != "layer"}
    layers = tuple(_layer(row) for row in words[1:] if row[0] == "layer")
    return Manifest(single["profile"], single["version"], layers)


def _layer(words: list[str]) -> Layer:
    if len(words) < 6 or words[6:] not in ([], [_SEAL]):
        raise VerifyError("the manifest has a layer that this version does not understand")
    return Layer(words[1], words[2], int(words[3]), int(words[4]), words[5], encrypted=bool(words[6:]))


def layer_file(name: str, root_hash: str, *, encrypted: bool = False) -> str:
    """A layer's name on the medium: short, ASCII, and another for every content."""
    return f"{name}-{root_hash[:16]}.{'luks' if encrypted else 'squashfs'}"


def read_image(name: str, folder: Path) -> Layer:
    """Describe a finished layer in the cache."""
    about = json.loads((folder / "image.json").read_text())
    sealed = bool(about.get("encrypted"))
    file = layer_file(name, about["root_hash"], encrypted=sealed)
    return Layer(name, file, about["size"], about["hash_offset"], about["root_hash"], sealed)


def as_json(manifest: Manifest) -> list[dict[str, object]]:
    """The layers as plain values."""
    return [asdict(layer) for layer in manifest.layers]


def archive(files: dict[str, bytes], mode: int = 0o100644) -> bytes:
    """A cpio archive (newc, as the kernel unpacks it), owned by root, with no time stamps."""
    out = bytearray()
    folders = sorted({str(parent) for name in files for parent in Path(name).parents} - {"."})
    for inode, (name, bits, content) in enumerate(
        [*((folder, 0o040755, b"") for folder in folders), *((n, mode, c) for n, c in sorted(files.items()))],
        start=1,
    ):
        _entry(out, name, bits, content, inode)
    _entry(out, "TRAILER!!!", 0, b"", 0)
    return bytes(out) + bytes(-len(out) % 512)


def _entry(out: bytearray, name: str, mode: int, content: bytes, inode: int) -> None:
    links = 2 if mode & 0o040000 else 1
    fields = (inode, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    out += b"070701" + "".join(f"{value:08X}" for value in fields).encode()
    out += name.encode() + b"\0"
    out += bytes(-len(out) % 4)
    out += content
    out += bytes(-len(out) % 4)


def find_in(initrd: bytes) -> Manifest:
    """The manifest that the end of an initramfs carries. Raises VerifyError if there is none."""
    marker = CPIO_NAME.encode() + b"\0"
    place = initrd.rfind(marker)
    start = place - 110
    if place < 0 or initrd[start : start + 6] != b"070701":
        raise VerifyError("the initramfs carries no manifest")
    size = int(initrd[start + 54 : start + 62], 16)
    begin = place + len(marker)
    begin += -(begin - start) % 4
    return parse(initrd[begin : begin + size].decode())
