"""The store: downloaded inputs, each under its SHA-256. A file in it is whole and right."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Store:
    """`root`/ab/abcdef...: the content; `root`/partial/: downloads not finished yet."""

    root: Path

    def path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256

    def partial(self, sha256: str) -> Path:
        return self.root / "partial" / sha256

    def has(self, sha256: str, size: int) -> bool:
        """Whether the content is there with its full size; its hash was checked on entry."""
        try:
            return self.path(sha256).stat().st_size == size
        except FileNotFoundError:
            return False

    def commit(self, partial: Path, sha256: str) -> None:
        """Move a checked file in. It is on disk before it has its name."""
        target = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("rb") as handle:
            os.fsync(handle.fileno())
        partial.chmod(0o444)
        partial.replace(target)

    def link_farm(self, folder: Path, items: Iterable[tuple[str, str]]) -> None:
        """Fill `folder` with the given (file name, sha256) pairs, as symbolic links."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, sha256 in items:
            (folder / name).symlink_to(self.path(sha256))


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
