"""Earlier builds on this machine, for the next plan: what each step took, and how right each plan was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from builder.cache import Cache


@dataclass(frozen=True)
class Past:
    """What a piece of work took last time, and how much there was to do."""

    seconds: float
    bytes: int


def read(cache: Cache) -> dict[str, Past]:
    """By the name of a step, or `fetch`, `iso`, `verify`. A damaged file counts as none."""
    try:
        rows = json.loads(_steps(cache).read_text())
        return {str(name): Past(float(row["seconds"]), int(row["bytes"])) for name, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def remember(cache: Cache, name: str, seconds: float, bytes_: int) -> None:
    """Note what `name` took this time."""
    cache.history.mkdir(parents=True, exist_ok=True)
    known = {**read(cache), name: Past(round(seconds, 1), bytes_)}
    partial = _steps(cache).with_suffix(".partial")
    partial.write_text(json.dumps({name: asdict(past) for name, past in known.items()}, indent=1))
    partial.replace(_steps(cache))


def remember_build(cache: Cache, record: Mapping[str, object]) -> None:
    """Append a line of JSON to builds.jsonl: what was planned, and what it was."""
    cache.history.mkdir(parents=True, exist_ok=True)
    with (cache.history / "builds.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")


def _steps(cache: Cache) -> Path:
    return cache.history / "steps.json"
