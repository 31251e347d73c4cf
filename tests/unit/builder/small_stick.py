"""A stick in small: written by the builder's own code, with layers of a few files and boot programs of zeros."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from builder.image import write_layer
from builder.iso import Medium, write_iso
from builder.manifest import Manifest, read_image

EPOCH = 1_750_000_000
FILES = {
    "etc/hostname": "inkstick\n",
    "etc/machine-id": "",
    "usr/bin/tool": "#!/bin/sh\n",
    "usr/share/doc/tool/copyright": "MIT\n",
    "usr/share/numbers": "".join(f"{number * number}\n" for number in range(20_000)),  # more than one block
}
ABOUT: dict[str, Any] = {"packages": [{"name": "tool", "use": "base", "sha256": "a"}], "wheels": []}


def write_tree(folder: Path, files: dict[str, str]) -> Path:
    """A layer's root."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o644)
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (EPOCH, EPOCH))
    return folder


def write_stick(room: Path, trees: dict[str, Path], name: str = "stick.iso", **medium: Any) -> Path:
    """An ISO whose layers hold these trees, in the folder `room`; further fields of its Medium as given."""
    boot = room / "boot"
    if not boot.exists():
        boot.mkdir()
        (boot / "boot_hybrid.img").write_bytes(bytes(510) + b"\x55\xaa")
        programs = ("BOOTX64.EFI", "grubx64.efi", "mmx64.efi")
        for file in ("eltorito.img", "vmlinuz", "initrd.img", "unicode.pf2", *programs):
            (boot / file).write_bytes(file.encode() * 1000)
    layers = []
    for layer, tree in trees.items():
        folder = room / f"{name}-{layer}"
        folder.mkdir()
        os.environ["SOURCE_DATE_EPOCH"] = str(EPOCH)
        try:
            write_layer(tree, folder, name=layer, level=1, all_root=True)
        finally:
            del os.environ["SOURCE_DATE_EPOCH"]
        layers.append(read_image(layer, folder))
    manifest = Manifest("small", "1.0", tuple(layers))
    about = {**ABOUT, "layers": [{"root_hash": layer.root_hash} for layer in layers]}
    fields: dict[str, Any] = {
        "manifest": manifest,
        "layers": {layer.file: room / f"{name}-{layer.name}" / "image.squashfs" for layer in layers},
        "boot": boot,
        "volume_id": "SMALL",
        "arguments": "boot=inkstick",
        "epoch": EPOCH,
        "papers": {"contents.json": json.dumps(about).encode()},
    }
    iso = room / name
    write_iso(Medium(**{**fields, **medium}), iso, room / "work", room / "log", lambda done, total: None)
    return iso


def add_to_iso(iso: Path, *words: str) -> Path:
    """Alter an ISO with xorriso's own commands, its boot entries kept; returns the altered copy."""
    altered = iso.with_name("altered.iso")
    altered.unlink(missing_ok=True)
    argv = ["xorriso", "-indev", str(iso), "-outdev", str(altered), "-boot_image", "any", "replay", *words]
    subprocess.run(argv, check=True, capture_output=True)
    return altered
