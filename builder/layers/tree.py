"""A layer's tree while it is made: where it lies, what is cut from it, its time stamps."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path


@contextmanager
def in_memory(folder: Path, wanted_bytes: int) -> Iterator[Path]:
    """An empty folder in memory if three times `wanted_bytes` are free there, else on disk.

    The mount is private to the step's namespace: the kernel takes it back with the process.
    """
    folder.mkdir(parents=True)
    if fits_in_memory(wanted_bytes):
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={2 * wanted_bytes},mode=0755", "inkstick", folder], check=True
        )
    yield folder


def fits_in_memory(wanted_bytes: int) -> bool:
    """Whether a tree that may take `wanted_bytes` is made in memory."""
    return _available_bytes() > 3 * wanted_bytes


def _available_bytes() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def cut(tree: Path, cuts: dict[str, list[str]]) -> dict[str, int]:
    """Delete what each named rule's globs match; returns the bytes each rule saved.

    A pattern `!GLOB` keeps what it matches, within its rule, folders above it included, and links to such folders.
    """
    return {name: _cut_one(tree, patterns) for name, patterns in cuts.items()}


_UNCOUNTED = ("var/log/", "var/cache/", "var/lib/apt/")
"""Deleted, but not counted: logs are of another size with every build, and the count is told on the medium."""


def _cut_one(tree: Path, patterns: list[str]) -> int:
    kept = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    saved = 0
    for pattern in patterns:
        if pattern.startswith("!"):
            continue
        for path in sorted(tree.glob(pattern)):
            saved += _delete(path, tree, kept)
    return saved


def _delete(path: Path, tree: Path, kept: list[str]) -> int:
    name = str(path.relative_to(tree))
    if any(fnmatchcase(name, pattern) for pattern in kept):
        return 0
    if path.is_symlink() and path.is_dir() and any(fnmatchcase(name, str(Path(pattern).parent)) for pattern in kept):
        return 0  # what is kept in the folder it leads to is kept under this name too
    if path.is_symlink() or not path.is_dir():
        size = path.lstat().st_size
        path.unlink()
        return 0 if name.startswith(_UNCOUNTED) else size
    saved = sum(_delete(child, tree, kept) for child in sorted(path.iterdir()))
    if not any(path.iterdir()):
        path.rmdir()
    return saved


def clamp_times(tree: Path, epoch: int) -> None:
    """Bring time stamps after `epoch` back to it, folders after what is in them."""
    for folder, folders, files in os.walk(tree, topdown=False):
        for name in (*files, *folders):
            _clamp(os.path.join(folder, name), epoch)
    _clamp(tree, epoch)


def _clamp(path: str | Path, epoch: int) -> None:
    if os.lstat(path).st_mtime > epoch:
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def copy_normalised(source: Path, target: Path) -> None:
    """Copy a file, or a link as a link, with mode 0755 if it is a program here, else 0644."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)
