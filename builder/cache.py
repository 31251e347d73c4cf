"""Where things lie under ~/.cache/inkstick, and the lock that keeps two builds apart."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder.errors import HostError
from builder.namespaces import delete


@dataclass(frozen=True)
class Cache:
    """The cache folder. Everything in it can be deleted; the next build makes it again."""

    root: Path

    @property
    def store(self) -> Path:
        """Downloaded inputs, named by their SHA-256."""
        return self.root / "store"

    @property
    def layers(self) -> Path:
        """Finished layers and boot files, one folder a key."""
        return self.root / "layers"

    @property
    def work(self) -> Path:
        """Unfinished things. Emptied whenever a build starts."""
        return self.root / "work"

    @property
    def logs(self) -> Path:
        """The whole output of every step."""
        return self.root / "logs"

    @property
    def history(self) -> Path:
        """What steps and builds took, for the next plan (see builder/history.py)."""
        return self.root / "history"

    @property
    def scratch(self) -> Path:
        """Where trees lie that do not fit in memory: a folder of this cache's own in $TMPDIR, else `work`."""
        chosen = os.environ.get("TMPDIR")
        if not chosen:
            return self.work
        return Path(chosen).absolute() / f"inkstick-{hashlib.sha256(str(self.root).encode()).hexdigest()[:12]}"


def default_cache() -> Cache:
    """$INKSTICK_CACHE, else $XDG_CACHE_HOME/inkstick, else ~/.cache/inkstick."""
    chosen = os.environ.get("INKSTICK_CACHE")
    if chosen:
        return Cache(Path(chosen).absolute())
    base = os.environ.get("XDG_CACHE_HOME")
    return Cache((Path(base) if base else Path.home() / ".cache") / "inkstick")


@contextmanager
def exclusive(cache: Cache) -> Iterator[None]:
    """Hold the cache for one build, and clear away what a killed build left in the work folder.

    Raises HostError if another build holds it. The kernel drops the lock with the process,
    however that ends.
    """
    _make(cache.root)
    with (cache.root / "lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            raise HostError(
                f"another build is using {cache.root} (process {holder})",
                hint="wait for it, or give this one a cache of its own: INKSTICK_CACHE=/some/folder",
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        for folder in (cache.work, cache.scratch):
            delete(folder)
        for folder in (cache.store, cache.layers, cache.work, cache.logs, cache.scratch):
            _make(folder)
        yield


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(
            f"{folder} cannot be made: {error.strerror}", hint="INKSTICK_CACHE=/a/folder/of/yours, or another TMPDIR"
        ) from None
