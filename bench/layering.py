#!/usr/bin/env python3
"""What parting an image into layers costs: the ISO beside one squashfs of the same tree at the same compression.

    python3 bench/layering.py ISO [--level 9]

Unpacks every layer of ISO over the others into one tree, packs that with mksquashfs as the layers are packed, and
prints a table and, last, one line of JSON. The ISO has more than its layers in it (kernel, initramfs, EFI system
partition, hash trees): each row says what. As root, so that owners are kept; wants room for the tree.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from builder import isofs  # noqa: E402
from builder.manifest import find_in  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("iso", type=Path)
    parser.add_argument("--level", type=int, default=9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inkstick-bench-", dir=arguments.iso.absolute().parent) as room:
        report(arguments.iso, measure(arguments.iso, Path(room), arguments.level))


def measure(iso: Path, room: Path, level: int) -> dict[str, int]:
    """Bytes by what they are: the layers' file systems, their hash trees, and one file system of everything."""
    files = isofs.files(iso)
    manifest = find_in(isofs.read(iso, files["/inkstick/boot/initrd.img"]))
    tree = room / "tree"
    for layer in manifest.layers:
        offset = files[f"/inkstick/layers/{layer.file}"].offset
        words = ["unsquashfs", "-q", "-n", "-no-xattrs", "-f", "-d", str(tree), "-o", str(offset), str(iso)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    one = room / "one.squashfs"
    words = ["mksquashfs", str(tree), str(one), "-comp", "zstd", "-Xcompression-level", str(level)]
    subprocess.run([*words, "-noappend", "-no-xattrs", "-no-progress"], check=True, stdout=subprocess.DEVNULL)
    return {
        "one squashfs": one.stat().st_size,
        "layers": sum(layer.hash_offset for layer in manifest.layers),
        "hash trees": sum(layer.size - layer.hash_offset for layer in manifest.layers),
        "iso": iso.stat().st_size,
    }


def report(iso: Path, sizes: dict[str, int]) -> None:
    one = sizes["one squashfs"]
    rest = sizes["iso"] - sizes["layers"] - sizes["hash trees"]
    print(f"{'what':<34}{'MiB':>8}{'x one':>9}")
    for name, count in {**sizes, "iso, less kernel and boot files": sizes["iso"] - rest}.items():
        print(f"{name:<34}{count / 2**20:>8.1f}{count / one:>9.4f}")
    excess = (sizes["layers"] + sizes["hash trees"]) / one - 1
    print(
        json.dumps({"bench": "layering", "iso": iso.name, "cores": os.cpu_count(), "bytes": sizes, "excess": excess})
    )


if __name__ == "__main__":
    main()
