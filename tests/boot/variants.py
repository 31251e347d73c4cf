"""The ISO as an accident, or somebody, may have changed it. The original file is never touched."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from PySquashfsImage import SquashFsImage

from builder import isofs, manifest
from builder.keys import ROOT
from builder.manifest import Layer

_LAYERS = "/inkstick/layers"
_INITRD = "/inkstick/boot/initrd.img"


def layers_of(iso: Path) -> dict[str, Layer]:
    """The layers that the ISO's own manifest lists, by name."""
    initrd = isofs.read(iso, isofs.files(iso)[_INITRD])
    return {layer.name: layer for layer in manifest.find_in(initrd).layers}


def with_flipped_byte(iso: Path, out: Path, layer: Layer, offset: int) -> Path:
    """All bits of one byte of a layer inverted. `out` is a qcow2 file above the ISO, not a copy."""
    extent = isofs.files(iso)[f"{_LAYERS}/{layer.file}"]
    place = extent.offset + offset
    with iso.open("rb") as stream:
        stream.seek(place)
        (old,) = stream.read(1)
    _run("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(iso.resolve()), "-F", "raw", str(out))
    _run("qemu-io", "-f", "qcow2", "-c", f"write -q -P {old ^ 0xFF} {place} 1", str(out))
    return out


def data_of(iso: Path, layer: Layer, path: str, scratch: Path) -> int:
    """Where the data of a file in a layer begins: an offset inside the layer."""
    image = scratch / layer.file
    _extract(iso, layer, image)
    with SquashFsImage.from_file(str(image)) as squashfs:
        file = squashfs.select(path)
        assert file is not None and file.is_file, f"no file {path} in layer {layer.name}"
        offset = int(file.inode.start)
    image.unlink()
    return offset


def without_layer(iso: Path, out: Path, layer: Layer) -> Path:
    """The layer's file deleted."""
    return _rewritten(iso, out, "-rm", f"{_LAYERS}/{layer.file}", "--")


def with_unlisted_layer(iso: Path, out: Path, name: str) -> Path:
    """A further file beside the layers, as somebody who wants it stacked on top would put it there."""
    stranger = out.with_name(name)
    tree = out.with_name("stranger")
    tree.mkdir()
    (tree / "evil").write_text("not from the builder")
    _run("mksquashfs", str(tree), str(stranger), "-quiet", "-no-progress", "-all-root")
    return _rewritten(iso, out, "-map", str(stranger), f"{_LAYERS}/{name}")


def with_swapped_layer(iso: Path, out: Path, layer: Layer) -> Path:
    """Another build's layer under this one's name: as long, whole in itself, with a hash tree of its own."""
    other = out.with_name(layer.file)
    _extract(iso, layer, other)
    with other.open("r+b") as stream:
        stream.seek(layer.hash_offset // 2)
        (old,) = stream.read(1)
        stream.seek(layer.hash_offset // 2)
        stream.write(bytes([old ^ 0xFF]))
    blocks = f"--data-blocks={layer.hash_offset // 4096}"
    _run("veritysetup", "format", blocks, f"--hash-offset={layer.hash_offset}", str(other), str(other))
    assert other.stat().st_size == layer.size
    return _rewritten(iso, out, "-update", str(other), f"{_LAYERS}/{layer.file}")


def as_fat32_copy(iso: Path, out: Path) -> Path:
    """The ISO's files copied to a FAT32 stick, as Rufus in ISO mode and a file manager do."""
    tree = out.with_name("tree")
    _run("xorriso", "-osirrox", "on", "-indev", str(iso), "-extract", "/", str(tree))
    _run("chmod", "-R", "u+w", str(tree))
    mebibytes = (iso.stat().st_size >> 20) + 64
    with out.open("wb") as stream:
        stream.truncate(mebibytes << 20)
    _run("mkfs.vfat", "-F", "32", "-n", "RENAMED", str(out))
    _run("mcopy", "-s", "-i", str(out), *(str(path) for path in sorted(tree.iterdir())), "::/")
    shutil.rmtree(tree)
    return out


def given_by_the_machine(iso: Path, folder: Path, words: str, initrd: bytes = b"") -> tuple[str, ...]:
    """QEMU's arguments that start the ISO's kernel past GRUB, with `words` behind the usual command line and
    `initrd` behind the initramfs.
    """
    files = isofs.files(iso)
    kernel, archive = folder / "vmlinuz", folder / "initrd.img"
    kernel.write_bytes(isofs.read(iso, files["/inkstick/boot/vmlinuz"]))
    content = isofs.read(iso, files[_INITRD])
    archive.write_bytes(content + bytes(-len(content) % 4) + initrd)
    line = f"{(ROOT / 'overlay/kernel-command-line').read_text().strip()} {words}"
    return ("-kernel", str(kernel), "-initrd", str(archive), "-append", line)


def _extract(iso: Path, layer: Layer, target: Path) -> None:
    _run("xorriso", "-osirrox", "on", "-indev", str(iso), "-extract", f"{_LAYERS}/{layer.file}", str(target))
    target.chmod(0o600)


def _rewritten(iso: Path, out: Path, *change: str) -> Path:
    """The ISO with one change to its files, and bootable as before."""
    _run("xorriso", "-indev", str(iso), "-outdev", f"stdio:{out}", "-boot_image", "any", "replay", *change)
    return out


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}\n{done.stderr}"
