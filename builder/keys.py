"""Keys: the SHA-256 over everything that decides a result, the code that makes it included."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def key_of(parts: Mapping[str, object]) -> str:
    """The key of a result made from `parts` (JSON values). Equal parts, equal key."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def code_hash(*modules: str) -> str:
    """A hash over the source of the builder's modules, named by path below the project's root."""
    return tree_hash(*(ROOT / module for module in modules))


def tree_hash(*paths: Path) -> str:
    """A hash over files' relative names, kinds, executable bits and contents, in name order."""
    digest = hashlib.sha256()
    for path in paths:
        for file in files_below(path):
            digest.update(f"{file.relative_to(path.parent)}\0{kind(file)}\0".encode())
            content = str(file.readlink()).encode() if file.is_symlink() else file.read_bytes()
            digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def files_below(path: Path) -> list[Path]:
    """Files and links at or below `path`, sorted, without Python's caches."""
    if path.is_file() or path.is_symlink():
        return [path]
    found = [file for file in path.rglob("*") if file.is_symlink() or file.is_file()]
    return sorted(file for file in found if "__pycache__" not in file.parts)


def kind(file: Path) -> str:
    """link, program or file: of the mode only what git keeps, so that a umask changes nothing."""
    if file.is_symlink():
        return "link"
    return "program" if file.stat().st_mode & 0o100 else "file"
