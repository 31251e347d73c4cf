"""Tests that take turns: a normal run has time for one of several, a full one for all."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from typing import Any

import pytest

from builder.keys import ROOT


def in_turn(cells: Iterable[Any]) -> list[Any]:
    """For `parametrize`: the one that the commit's hash chooses, and the others for full runs only.

    Every commit chooses anew, so all of them come round; the same commit always chooses the same.
    """
    listed = list(cells)
    chosen = _commit() % len(listed)
    return [
        cell if number == chosen else pytest.param(cell, marks=pytest.mark.full) for number, cell in enumerate(listed)
    ]


def _commit() -> int:
    """0 outside a repository."""
    argv = ["git", "rev-parse", "HEAD"]
    found = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return int(found[:8], 16) if found else 0
