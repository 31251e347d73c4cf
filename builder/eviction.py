"""What the cache may lose: results, downloads and environments by when a build last used them.

An entry's last use is the time stamp of a file in it that every build which uses the entry touches. What lies
behind a symbolic link belongs to another cache too: it is neither counted nor deleted.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from builder.cache import Cache
from builder.errors import HostError
from builder.inputs.store import Store
from builder.namespaces import delete

LIMIT = "INKSTICK_CACHE_LIMIT"
DEFAULT_LIMIT_BYTES = 60 << 30
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SPANS_S = {"m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True)
class Entry:
    """One thing that can go by itself. `bytes`: what deleting it gives back; `used`: seconds since the epoch."""

    kind: str
    name: str
    path: Path
    bytes: int
    used: float


def entries(cache: Cache) -> list[Entry]:
    """Everything in the cache that a build can make or fetch again, the longest unused first."""
    found = [*_layers(cache), *_downloads(cache), *_environments(cache), *_logs(cache)]
    return sorted(found, key=lambda entry: entry.used)


def _layers(cache: Cache) -> Iterator[Entry]:
    for folder in _children(cache.layers):
        name = folder.name.rpartition("-")[0]
        record = folder / "done.json"
        yield Entry("layers", name, folder, held_bytes(folder), _time(record if record.exists() else folder))


def _downloads(cache: Cache) -> Iterator[Entry]:
    for folder in _children(cache.store):
        for file in _children(folder):
            kind = "unfinished downloads" if folder.name == "partial" else "downloads"
            yield Entry(kind, file.name, file, held_bytes(file), _time(file))


def _environments(cache: Cache) -> Iterator[Entry]:
    own = Path(sys.prefix)
    for folder in _children(cache.root / "venv"):
        mark = folder / "complete"
        if folder != own:
            yield Entry(
                "environments", folder.name, folder, held_bytes(folder), _time(mark if mark.exists() else folder)
            )


def _logs(cache: Cache) -> Iterator[Entry]:
    for file in _children(cache.logs):
        yield Entry("logs", file.name, file, held_bytes(file), _time(file))


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []


def _time(path: Path) -> float:
    return path.lstat().st_mtime


def held_bytes(path: Path) -> int:
    """What deleting `path` gives back: blocks on disk; a file that has another name as well gives nothing."""
    files = path.rglob("*") if path.is_dir() and not path.is_symlink() else (path,)
    stats = (file.lstat() for file in files)
    return sum(stat.st_blocks * 512 for stat in stats if stat.st_nlink == 1)


def mark_used(paths: Iterable[Path]) -> None:
    """Note that a build uses these now. Files of another user's store keep their time."""
    for path in paths:
        with suppress(OSError):
            os.utime(path)


def make_room(cache: Cache, *, needed_bytes: int, keep: set[Path], limit_bytes: int | None = None) -> list[Entry]:
    """Delete the longest unused results and downloads until `needed_bytes` more fit below the limit.

    Nothing in `keep` goes, so that the limit may be passed where a build alone is larger. Returns what went.
    Environments and logs are not counted: they are small, and `clean` takes them.
    """
    limit = limit_from_environment() if limit_bytes is None else limit_bytes
    if limit == 0:
        return []
    there = sorted((*_layers(cache), *_downloads(cache)), key=lambda entry: entry.used)
    excess = sum(entry.bytes for entry in there) + needed_bytes - limit
    gone = []
    for entry in there:
        if excess <= 0:
            break
        if entry.path in keep or entry.bytes == 0:
            continue
        with suppress(OSError):  # another user's
            remove(entry)
            gone.append(entry)
            excess -= entry.bytes
    return gone


def remove(entry: Entry) -> None:
    """Delete it. A folder loses its record first: what a crash leaves of it counts as not built."""
    if entry.path.is_dir():
        (entry.path / "done.json").unlink(missing_ok=True)
        (entry.path / "complete").unlink(missing_ok=True)
        delete(entry.path)
    else:
        entry.path.unlink(missing_ok=True)


def limit_from_environment() -> int:
    """$INKSTICK_CACHE_LIMIT in bytes, 0 for none. Raises HostError where it is no size."""
    text = os.environ.get(LIMIT, "")
    return parse_size(text, LIMIT) if text else DEFAULT_LIMIT_BYTES


def parse_size(text: str, what: str) -> int:
    """`20G`, `500M`, `0`, in powers of 1024. Raises HostError naming `what`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if found is None:
        raise HostError(f"{what}: '{text}' is no size", hint="as in 20G or 500M; 0 for none")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def parse_span(text: str) -> float:
    """`30d`, `12h`, `2w` in seconds. Raises HostError where it is none."""
    found = re.fullmatch(r"(\d+)\s*([mhdw])", text.strip())
    if found is None:
        raise HostError(f"--older-than: '{text}' is no span of time", hint="as in 30d, 12h or 2w")
    return int(found[1]) * float(_SPANS_S[found[2]])


def chosen(
    cache: Cache, *, everything: bool, older_than: str | None, keep: str | None, now: float | None = None
) -> list[Entry]:
    """What `clean` is to delete: layers, logs and environments, with `everything` downloads too.

    `older_than`: only what no build used for so long. `keep`: a number keeps that many of each layer's results,
    the newest used; a size keeps the newest used that fit into it, of whatever kind. Without either, all results
    and logs go, and the environments stay.
    """
    kinds = {"layers", "logs", "unfinished downloads", *(["downloads"] if everything else [])}
    kinds |= {"environments"} if older_than is not None or everything else set()
    found = [entry for entry in entries(cache) if entry.kind in kinds]
    if older_than is not None:
        before = (time.time() if now is None else now) - parse_span(older_than)
        found = [entry for entry in found if entry.used < before]
    if keep is None:
        return found
    return _beyond_number(found, int(keep)) if keep.isdigit() else _beyond_size(found, parse_size(keep, "--keep"))


def _beyond_number(found: list[Entry], number: int) -> list[Entry]:
    kept: dict[str, int] = {}
    beyond = []
    for entry in reversed(found):
        name = entry.name if entry.kind == "layers" else ""
        kept[name] = kept.get(name, 0) + 1
        if entry.kind == "layers" and kept[name] > number:
            beyond.append(entry)
    return beyond


def _beyond_size(found: list[Entry], size_bytes: int) -> list[Entry]:
    beyond, total = [], 0
    for entry in reversed(found):
        total += entry.bytes
        if total > size_bytes:
            beyond.append(entry)
    return beyond


def needed_paths(cache: Cache, folders: Iterable[Path], hashes: Iterable[str]) -> set[Path]:
    """What a build with these layer folders and these inputs must find again."""
    store = Store(cache.store)
    return {*folders, *(store.path(sha256) for sha256 in hashes), *(store.partial(sha256) for sha256 in hashes)}
