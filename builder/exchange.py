"""Carry what a build needs to a machine without a network: `fetch --export DIR`, `fetch --import DIR`.

The folder holds files by their SHA-256, as the store does, a copy of the profile's lock, an index that names
each file, and the wheels that the builder itself runs on, from which build.py sets itself up there. On the
other machine every file is hashed before it enters the store.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.cache import Cache
from builder.console import Meter
from builder.errors import FetchError, HostError
from builder.inputs.lock import Lock, lock_path
from builder.inputs.store import Store, sha256_of
from builder.keys import ROOT
from builder.profile import Profile

INDEX = "inkstick-store.json"
WHEELS = "builder-wheels"
_REQUIREMENTS = ROOT / "builder/requirements.lock"
_FORMAT = 1


@dataclass(frozen=True)
class Item:
    """A file of the store, by the name that people know it by."""

    name: str
    size: int
    sha256: str


def items(lock: Lock) -> list[Item]:
    """All that the store holds for `lock`, model files among it, each once; NVIDIA's installer is not in it."""
    found: dict[str, Item] = {}
    for entry in lock.inputs:
        found[entry.sha256] = Item(entry.file_name, entry.size, entry.sha256)
    for file in lock.model.files if lock.model else ():
        found[file.sha256] = Item(file.name, file.size, file.sha256)
    return sorted(found.values(), key=lambda item: item.name)


def export(profile: Profile, lock: Lock, cache: Cache, folder: Path, meter: Meter) -> int:
    """Copy what `lock` pins from the store into `folder`, which may hold other profiles' files already.

    Returns the bytes in it for this profile. Raises FetchError if something is not in the store, HostError
    if `folder` has no room or cannot be written.
    """
    store, wanted = Store(cache.store), items(lock)
    absent = [item for item in wanted if not store.has(item.sha256, item.size)]
    if absent:
        raise FetchError(f"not in the store: {_names(absent)}", hint=f"python3 build.py fetch -p {profile.name}")
    total, done = sum(item.size for item in wanted), 0
    with _readable_errors(folder):
        (folder / "files").mkdir(parents=True, exist_ok=True)
        _check_room(folder, sum(item.size for item in wanted if not _is_there(folder, item)))
        for item in wanted:
            if not _is_there(folder, item):
                _copy(store.path(item.sha256), _place(folder, item))
            done += item.size
            meter(done, total)
        lock_file = lock_path(profile)
        _copy(lock_file, folder / lock_file.name)
        index = _read_index(folder) if (folder / INDEX).exists() else {}
        index.update({item.sha256: {"name": item.name, "size": item.size} for item in wanted})
        _export_builder(folder / WHEELS)
        text = json.dumps({"format": _FORMAT, "files": dict(sorted(index.items()))}, indent=1)
        (folder / INDEX).write_text(text)
    return total


def _export_builder(folder: Path) -> None:
    """The builder's own wheels, for this machine's Python; pip passes over those that are there."""
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--require-hashes"]
    options = ["--only-binary=:all:", "--no-deps", "--dest", str(folder), "-r", str(_REQUIREMENTS)]
    if subprocess.run([*pip, *options], check=False).returncode != 0:
        raise FetchError("the builder's own wheels could not be had", hint="check the network and pip's index setting")


def import_(cache: Cache, folder: Path, meter: Meter) -> tuple[int, int]:
    """Take every file of `folder` that the store lacks. Returns (files taken, files in the folder).

    Raises HostError if `folder` is no export, FetchError for files that are missing or not what they are
    named; what was right before stays in the store.
    """
    if not (folder / INDEX).is_file():
        raise HostError(f"{folder} holds no {INDEX}", hint="make one: python3 build.py fetch --export DIR")
    store = Store(cache.store)
    listed = [Item(str(row["name"]), int(row["size"]), sha256) for sha256, row in _read_index(folder).items()]
    total, done, taken = sum(item.size for item in listed), 0, 0
    for item in listed:
        if not store.has(item.sha256, item.size):
            _take(store, folder, item)
            taken += 1
        done += item.size
        meter(done, total)
    return taken, len(listed)


def _take(store: Store, folder: Path, item: Item) -> None:
    source = _place(folder, item)
    if not source.is_file():
        raise FetchError(f"{item.name} is missing from {folder}", hint="export it again: the copy was cut short")
    partial = store.partial(item.sha256)
    partial.parent.mkdir(parents=True, exist_ok=True)
    with _readable_errors(partial.parent):
        shutil.copyfile(source, partial)
    got = sha256_of(partial)
    if got != item.sha256:
        partial.unlink()
        raise FetchError(
            f"{item.name} is not what the export says\n  listed {item.sha256}\n  found  {got}",
            hint="the medium altered it: export it again",
        )
    store.commit(partial, item.sha256)


def _read_index(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        index = json.loads((folder / INDEX).read_text())
        if index["format"] != _FORMAT:
            raise HostError(f"{folder} was exported by another version of Inkstick", hint="use the same one")
        files: dict[str, dict[str, Any]] = index["files"]
    except (ValueError, KeyError, TypeError):
        raise HostError(f"{folder / INDEX} is damaged", hint="export it again") from None
    return files


def _place(folder: Path, item: Item) -> Path:
    return folder / "files" / item.sha256


def _is_there(folder: Path, item: Item) -> bool:
    place = _place(folder, item)
    return place.is_file() and place.stat().st_size == item.size


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all: a name appears when its content is on the disk."""
    partial = target.with_name(target.name + ".partial")
    shutil.copyfile(source, partial)
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    os.replace(partial, target)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise HostError(f"{folder} has room for {free} bytes, {needed} are needed", hint="use a larger disk")


def _names(absent: list[Item]) -> str:
    shown = ", ".join(item.name for item in absent[:3])
    return shown if len(absent) <= 3 else f"{shown} and {len(absent) - 3} more"


@contextmanager
def _readable_errors(folder: Path) -> Iterator[None]:
    """OSError as HostError, with what to do about it."""
    try:
        yield
    except OSError as error:
        raise HostError(f"{folder}: {error.strerror}", hint="is it there, writable, and not full?") from None
