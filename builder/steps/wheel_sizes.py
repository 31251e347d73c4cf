"""What a wheel takes in its layer, by the wheel's own table: what the profile cuts does not count."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from functools import cache

from builder.inputs.lock import Wheel
from builder.inputs.store import Store

_PACKED_TO_UNPACKED = 4
_BYTE_CODE = 1.3
"""What .py files bring in byte code, over their own packed size."""


def unpacked_bytes(wheel: Wheel, store: Store) -> int:
    """What its files take before anything is cut: where it is in the store, else a rough guess."""
    rows = _rows(wheel, store)
    return _PACKED_TO_UNPACKED * wheel.size if rows is None else sum(row.file_size for row in rows)


def packed_bytes(wheel: Wheel, store: Store, cuts: Iterable[str] = ()) -> int:
    """What its files take in a layer: as much as in the wheel, and their byte code, less what `cuts` (globs) match."""
    rows = _rows(wheel, store)
    if rows is None:
        return wheel.size  # byte code, and what is cut, come out even
    gone, kept = _patterns(tuple(cuts))
    there = [row for row in rows if not gone.fullmatch(row.filename) or kept.fullmatch(row.filename)]
    python = sum(row.compress_size for row in there if row.filename.endswith(".py"))
    return sum(row.compress_size for row in there) + round(_BYTE_CODE * python)


def _rows(wheel: Wheel, store: Store) -> list[zipfile.ZipInfo] | None:
    return _table(str(store.path(wheel.sha256)))


@cache
def _table(file: str) -> list[zipfile.ZipInfo] | None:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except (OSError, zipfile.BadZipFile):
        return None


@cache
def _patterns(cuts: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Of what goes, and of what stays within it. A folder that goes takes with it what is below."""
    gone = [_regular(glob) for glob in cuts if not glob.startswith("!")]
    kept = [_regular(glob[1:]) for glob in cuts if glob.startswith("!")]
    return re.compile(f"(?:{'|'.join(gone) or '(?!)'})(?:/.*)?"), re.compile("|".join(kept) or "(?!)")


def _regular(glob: str) -> str:
    """A glob of pathlib's as a regular expression: `**/` is any number of folders, `*` stops at a slash."""
    parts = re.split(r"(\*\*/|\*|\?)", glob)
    known = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return "".join(known.get(part, re.escape(part)) for part in parts)
