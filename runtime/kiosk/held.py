"""Bytes that the station holds for a page: in this process's memory, or in a file that outlives it (outliving.py)."""

from __future__ import annotations

from pathlib import Path

Held = bytes | Path


def content(held: Held) -> bytes:
    """Raises OSError where its file is gone."""
    return held if isinstance(held, bytes) else held.read_bytes()


def size_bytes(held: Held) -> int:
    """Raises OSError where its file is gone."""
    return len(held) if isinstance(held, bytes) else held.stat().st_size
