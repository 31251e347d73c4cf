"""A step: its key, what its module gets, and where its result lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builder.cache import Cache
from builder.inputs.lock import DebianPackage
from builder.inputs.store import Store
from builder.keys import files_below, key_of, kind, tree_hash

TIMELESS_EPOCH = 1_735_689_600
"""2025-01-01: the newest time stamp in layers where none has a meaning. A renewed Debian package
must not change them."""


@dataclass(frozen=True)
class Step:
    """One step: `parts` decide its key; `spec` is what its module gets, `work` and `out` apart.

    `module` runs in a sandbox. `epoch` is the step's SOURCE_DATE_EPOCH. `needs` maps keys of the spec
    to names of earlier steps, whose folders are put there. `is_layer`: its image goes on the medium.
    `expected_bytes`: what the result will take, rather too much than too little, where none is there to go by.
    `in_memory`: its tree of `tree_bytes` is made there if it fits.
    """

    name: str
    module: str
    parts: dict[str, Any]
    spec: dict[str, Any]
    epoch: int
    needs: dict[str, str] = field(default_factory=dict)
    is_layer: bool = True
    expected_bytes: int = 0
    in_memory: bool = True

    @property
    def key(self) -> str:
        return key_of(self.parts)

    def folder(self, cache: Cache) -> Path:
        return cache.layers / f"{self.name}-{self.key[:20]}"

    def is_done(self, cache: Cache) -> bool:
        return (self.folder(cache) / "done.json").exists()


def package_rows(packages: tuple[DebianPackage, ...], store: Store) -> list[dict[str, Any]]:
    """Debian packages as steps get them."""
    return [
        {
            "name": package.name,
            "version": package.version,
            "file": package.file_name.replace("%", "_"),
            "content": str(store.path(package.sha256)),
            "sha256": package.sha256,
            "size": package.size,
        }
        for package in packages
    ]


def pins(packages: tuple[DebianPackage, ...]) -> dict[str, str]:
    """Debian packages as a key's part, so that a plan can tell which one moved."""
    return {package.name: f"{package.version} {package.sha256}" for package in packages}


def file_hashes(folder: Path) -> dict[str, str]:
    """A folder as a key's part, file by file."""
    return {str(file.relative_to(folder)): f"{kind(file)} {tree_hash(file)[:16]}" for file in files_below(folder)}
