"""The model layer: weights, stored as they are, each file at a multiple of 4096 bytes in the image.

For private weights the image is then encrypted as a whole, and its hash tree is over what that gives.

Runs as a step: `python -m builder.layers.model SPEC`. Nothing is compressed, so that the station maps
pages straight from the medium; squashfs puts one file behind the other, so small files of zeros
between them bring each to its place.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from builder import verity
from builder.layers.encryption import encrypt
from builder.layers.synthetic import write_synthetic
from builder.layers.tree import clamp_times
from builder.sandbox import report

MODEL = "usr/lib/inkstick/model"
ABOUT = "usr/share/inkstick/model"
_PADDING = "usr/lib/inkstick/model-padding"
_SUPERBLOCK_BYTES = 96
_ALIGNMENT = 4096


def main(spec: dict[str, Any]) -> None:
    """Spec: files (name, content) or synthetic, about (what the station may tell), licences, passphrase_file
    (or none), epoch, work, out.
    """
    work, out = Path(spec["work"]), Path(spec["out"])
    tree = work / "tree"
    model = tree / MODEL
    model.mkdir(parents=True)
    if spec["synthetic"]:
        write_synthetic(model, report)
    for row in spec["files"]:
        (model / row["name"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(row["content"], model / row["name"])
    about = tree / ABOUT
    about.mkdir(parents=True)
    (about / "about.json").write_text(json.dumps(spec["about"], indent=1, ensure_ascii=False, sort_keys=True))
    for file in spec["licences"]:
        shutil.copyfile(file, about / Path(file).name)
    order = write_padding(tree)
    for path in tree.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    clamp_times(tree, spec["epoch"])
    image = _write_image(tree, out, work, order)
    if spec["passphrase_file"]:
        encrypt(image, Path(spec["passphrase_file"]))
    end = verity.append(image, "model")
    description = {
        "hash_offset": end.hash_offset,
        "root_hash": end.root_hash,
        "size": image.stat().st_size,
        "encrypted": bool(spec["passphrase_file"]),
    }
    (out / "image.json").write_text(json.dumps(description))


def write_padding(tree: Path) -> list[str]:
    """Add a file of zeros before each file that would not begin at a multiple of 4096; returns the order of all.

    Paths are relative to `tree`. The weights come first, largest first.
    """
    files = [path for path in tree.rglob("*") if path.is_file()]
    files.sort(key=lambda path: (-path.stat().st_size, str(path)))
    padding = tree / _PADDING
    padding.mkdir(parents=True)
    order: list[str] = []
    place = _SUPERBLOCK_BYTES
    for number, file in enumerate(files):
        gap = -place % _ALIGNMENT
        if gap:
            filler = padding / f"{number:04}"
            filler.write_bytes(bytes(gap))
            order.append(str(filler.relative_to(tree)))
        order.append(str(file.relative_to(tree)))
        place += gap + file.stat().st_size
    return order


def _write_image(tree: Path, out: Path, work: Path, order: list[str]) -> Path:
    """mksquashfs takes files by descending priority; its tables at the end may stay uncompressed as well."""
    sort = work / "order"
    highest = 32767
    sort.write_text("".join(f"{path} {highest - rank}\n" for rank, path in enumerate(order)))
    image = out / "image.squashfs"
    argv: list[str | Path] = [
        *("mksquashfs", tree, image, "-noappend", "-no-xattrs", "-all-root", "-no-progress"),
        *("-noI", "-noId", "-noD", "-noF", "-noX", "-no-fragments", "-no-duplicates", "-no-sparse"),
        *("-b", "1M", "-sort", sort),
    ]
    print("$", *argv, flush=True)
    subprocess.run(argv, check=True)
    return image


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
