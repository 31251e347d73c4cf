"""Byte code made by the image's own Python, so that it is the one the station would make."""

from __future__ import annotations

import subprocess
from pathlib import Path

from builder.layers import debrepo

PACKAGES = (
    *("libc6", "zlib1g", "libexpat1", "libssl3t64", "liblzma5", "libbz2-1.0", "libffi8", "libzstd1"),
    *("libpython3.13-minimal", "libpython3.13-stdlib", "python3.13-minimal"),
)
"""Enough of Debian to run `python3.13 -m compileall`, and no more: the key names these alone."""


def unpack(root: Path, packages: list[Path]) -> None:
    """Unpack Debian packages into `root`, as a merged-/usr system that can be entered."""
    for name in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    for package in packages:
        debrepo.unpack(package, root)


def compile_tree(root: Path, folder: Path, *, version: str, at: str) -> None:
    """Compile every module below `folder`, which the station will see as `at`.

    Unchecked hash-based byte code (PEP 552): nothing in it depends on a time stamp, and nothing is
    compared at start-up. One process in sorted order: the bytes are the same in every build.
    """
    inside = root / at.lstrip("/")
    inside.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", folder, inside], check=True)
    try:
        done = subprocess.run(
            [
                *("chroot", str(root), f"/usr/bin/python{version}", "-I", "-m", "compileall", "-q"),
                *("--invalidation-mode", "unchecked-hash", "-j", "1", "-o", "0", at),
            ],
            env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/usr/sbin"},
            check=False,
        )
    finally:
        subprocess.run(["umount", inside], check=True)
    # 1: some module does not compile (a template, Python 2 code): it could not be imported either.
    if done.returncode not in (0, 1):
        raise SystemExit(f"compileall failed with status {done.returncode}")
