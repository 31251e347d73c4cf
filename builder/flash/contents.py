"""What is on a stick before it is erased, so that its owner recognises it. Read from the stick itself."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

VAULT = "INKSTICK-VAULT"
"""The name that a station gives to a vault's partition and to its container."""


@dataclass(frozen=True)
class Contents:
    """`labels` of its file systems; `vault`: a station keeps its history there."""

    labels: tuple[str, ...] = ()
    vault: bool = False


def contents_of(disk: str, *, sys: Path = Path("/sys")) -> Contents:
    """As far as blkid and partx can tell of the disk and its partitions; nothing where they cannot."""
    parts = sorted(file.parent.name for file in (sys / "class/block" / disk).glob("*/partition"))
    found = [_label(name) for name in (disk, *parts)]
    labels = tuple(dict.fromkeys(label for label in found if label))
    names = _printed("partx", "--show", "--noheadings", "--output", "NAME", f"/dev/{disk}")
    return Contents(labels, VAULT in (*labels, *(name.strip() for name in names)))


def _label(name: str) -> str:
    """A file system's label, or else its kind; nothing where there is none."""
    values = dict(line.partition("=")[::2] for line in _printed("blkid", "-p", "-o", "export", f"/dev/{name}"))
    return values.get("LABEL") or values.get("TYPE") or ""


def _printed(*words: str) -> list[str]:
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        return []
    return done.stdout.splitlines()
