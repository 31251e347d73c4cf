"""A layer's file: squashfs, then its dm-verity tree. Runs inside a step's sandbox."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from builder import verity
from builder.sandbox import report

_PERCENT = re.compile(rb"(\d+)%")


def write_layer(tree: Path, folder: Path, *, name: str, level: int, all_root: bool) -> None:
    """Pack `tree` as `folder`/image.squashfs and describe it in `folder`/image.json.

    Compression is zstd. Time stamps after SOURCE_DATE_EPOCH are clamped to it by mksquashfs;
    extended attributes are left out: no program on the station has file capabilities.
    """
    image = folder / "image.squashfs"
    argv = [
        *("mksquashfs", str(tree), str(image), "-comp", "zstd", "-Xcompression-level", str(level)),
        *("-noappend", "-no-xattrs", "-percentage" if _has_percentage() else "-progress"),
    ]
    if all_root:
        argv.append("-all-root")
    _run_with_percent(argv, sum(file.lstat().st_size for file in tree.rglob("*")))
    tree_end = verity.append(image, name)
    description = {
        "hash_offset": tree_end.hash_offset,
        "root_hash": tree_end.root_hash,
        "size": image.stat().st_size,
    }
    (folder / "image.json").write_text(json.dumps(description))


def _has_percentage() -> bool:
    done = subprocess.run(["mksquashfs", "-version"], capture_output=True, check=False)
    return re.search(rb"version (4\.[6-9]|[5-9])", done.stdout) is not None


def _run_with_percent(argv: list[str], tree_bytes: int) -> None:
    print("$", *argv, flush=True)
    # mksquashfs draws its bar only where it believes there is a terminal of some width.
    environment = {**os.environ, "COLUMNS": "80"}
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    assert process.stdout is not None
    last = -1
    tail = b""
    while chunk := process.stdout.read1(4096):  # type: ignore[attr-defined]
        tail = (tail + chunk)[-4000:]
        found = _PERCENT.findall(chunk)
        if found and int(found[-1]) != last:
            last = int(found[-1])
            report(tree_bytes * last // 100, tree_bytes)
    if process.wait() != 0:
        raise SystemExit(f"mksquashfs failed:\n{tail.decode(errors='replace')}")
