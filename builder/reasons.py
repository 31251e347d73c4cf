"""Why a step is done again: which of its inputs changed since the result in the cache that is nearest to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from builder.cache import Cache
from builder.steps.step import Step

_SHOWN = 4
_HASHED = re.compile(r"^(?:(\S+) )?[0-9a-f]{16,64}$")
"""A value that is a hash, after a version or a kind of file where it has one."""


def records(name: str, cache: Cache) -> list[tuple[Path, dict[str, Any]]]:
    """The records of finished steps of that very name, `python` is not `python-torch`, the newest first."""
    folders = [folder for folder in cache.layers.glob(f"{name}-*") if "-" not in folder.name[len(name) + 1 :]]
    files = [folder / "done.json" for folder in folders if (folder / "done.json").exists()]
    files.sort(key=lambda file: file.stat().st_mtime, reverse=True)
    return [(file, json.loads(file.read_text())) for file in files]


def why(step: Step, cache: Cache) -> str:
    """Which inputs changed; "not built yet" where there is nothing to compare with.

    The cache holds results of several profiles and states: the one with the fewest differences tells most.
    """
    found = nearest(step, cache)
    if found is None:
        return "not built yet"
    return _shown(list(_changes(found["parts"], step.parts))) or "its result is gone"


def nearest(step: Step, cache: Cache) -> dict[str, Any] | None:
    """The record of the result with the fewest differences, the newest of equals; None where there is none."""
    found = [record for _, record in records(step.name, cache)]
    return min(found, key=lambda record: len(list(_changes(record["parts"], step.parts))), default=None)


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(part, what changed in it), a row for each leaf."""
    for part in sorted({*before, *now}):
        for name, (was, new) in _leaves(before.get(part), now.get(part)):
            yield part, _told(name, was, new)


def _leaves(was: object, new: object, name: str = "") -> Iterator[tuple[str, tuple[object, object]]]:
    if was == new:
        return
    if isinstance(was, Mapping) and isinstance(new, Mapping):
        for key in sorted({*was, *new}):
            yield from _leaves(was.get(key), new.get(key), f"{name}.{key}" if name else str(key))
    else:
        yield name, (was, new)


def _told(name: str, was: object, new: object) -> str:
    if isinstance(was, Mapping) or isinstance(new, Mapping):
        return name
    if name and was is None:
        return f"+{name}"
    if name and new is None:
        return f"-{name}"
    if isinstance(was, list) and isinstance(new, list):
        gone, come = [row for row in was if row not in new], [row for row in new if row not in was]
        return " ".join([name, *(f"-{row}" for row in gone), *(f"+{row}" for row in come)])
    hashed = _HASHED.match(str(was)), _HASHED.match(str(new))
    if hashed[0] and hashed[1]:
        old, later = hashed[0][1], hashed[1][1]
        return f"{name} {old} -> {later}" if old != later else name
    if not name and None in (was, new):
        return name
    return f"{name} {_short(was)} -> {_short(new)}".strip()


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _shown(rows: list[tuple[str, str]]) -> str:
    """`packages: chromium 1 -> 2, +tzdata; code: builder/layers/base.py`."""
    parts: dict[str, list[str]] = {}
    for part, told in rows:
        parts.setdefault(part, []).append(told)
    return "; ".join(f"{part}{_row(told)}" for part, told in parts.items())


def _row(told: list[str]) -> str:
    if told == [""]:
        return " changed"
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return f": {', '.join(told[:_SHOWN])}{more}"
