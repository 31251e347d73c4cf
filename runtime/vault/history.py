"""Batches that were read, kept so that they can be opened again.

In the vault: `history/BATCH/batch.json`, and for each page its record and its picture. Pages are written before
the batch that names them, so that a batch is never named whole while a page of it is missing. Until then they
are in memory, and a vault that is pulled out meanwhile gets them when it is back.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from runtime.revisions import first_revision
from runtime.vault import files

log = logging.getLogger(__name__)

_ID = re.compile(r"^[0-9a-f]{32}$")
_BATCH = "batch.json"


@dataclass(frozen=True)
class Batch:
    """`at`: when its first page was read, in seconds since 1970 by the station's clock. `names`: of its pages'
    files; `pages`: the pages' ids in their order."""

    id: str
    at: float
    names: tuple[str, ...]
    pages: tuple[str, ...]


@dataclass(frozen=True)
class KeptPage:
    """`record` is JSON that whoever kept it understands."""

    id: str
    record: bytes
    picture: bytes | None


class History:
    """Implements vault.Kept; every method may be called from any thread. Without an open vault it keeps nothing;
    while one that was open is pulled out, it keeps in memory what is still to be written."""

    def __init__(self) -> None:
        self.active = False
        self.revision = first_revision()
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._batches: dict[str, Batch] = {}
        self._unwritten: dict[str, Batch] = {}
        self._pages: dict[str, dict[str, KeptPage]] = {}
        self._deleted: set[str] = set()

    @property
    def waiting(self) -> int:
        """Pages that are in memory alone."""
        with self._lock:
            return sum(len(pages) for pages in self._pages.values())

    def keep(self, batch: Batch, pages: Iterable[KeptPage]) -> None:
        """The batch as it is now, and those of its pages that are new or different."""
        with self._lock:
            if not self.active:
                return
            self._batches[batch.id] = self._unwritten[batch.id] = batch
            self._pages.setdefault(batch.id, {}).update({page.id: page for page in pages})
            self.revision += 1

    def batches(self, search: str = "") -> list[Batch]:
        """The newest first; with `search`, those with a file name that contains it, whatever its case."""
        wanted = search.casefold()
        with self._lock:
            found = [
                batch
                for batch in self._batches.values()
                if not wanted or any(wanted in name.casefold() for name in batch.names)
            ]
        return sorted(found, key=lambda batch: batch.at, reverse=True)

    def pages(self, batch_id: str) -> list[KeptPage]:
        """Those of a batch that are there. Raises KeyError for an unknown batch, OSError if the vault is gone."""
        with self._lock:
            batch, waiting, folder = self._batches[batch_id], dict(self._pages.get(batch_id, {})), self._folder
        found = []
        for page in batch.pages:
            kept = waiting.get(page) or (None if folder is None else _read_page(folder / batch_id, page))
            if kept is not None:
                found.append(kept)
        return found

    def delete(self, batch_id: str) -> None:
        """Raises KeyError for an unknown batch."""
        with self._lock:
            del self._batches[batch_id]
            self._unwritten.pop(batch_id, None)
            self._pages.pop(batch_id, None)
            self._deleted.add(batch_id)
            self.revision += 1

    def opened(self, folder: Path) -> None:
        history = folder / "history"
        history.mkdir(exist_ok=True)
        found = {batch.id: batch for path in history.iterdir() if (batch := _read_batch(path)) is not None}
        with self._lock:
            self.active, self._folder = True, history
            for deleted in self._deleted:
                found.pop(deleted, None)
            self._batches = {**found, **self._unwritten}
            self.revision += 1

    def write(self, folder: Path) -> bool:
        history = folder / "history"
        with self._lock:
            self._folder = history
            deleted, batches = set(self._deleted), dict(self._unwritten)
            pages = {name: dict(each) for name, each in self._pages.items()}
        for name in deleted:
            _remove(history / name)
        for name, batch in batches.items():
            for page in pages.get(name, {}).values():
                _write_page(history / name, page)
            files.write(history / name / _BATCH, json.dumps(asdict(batch), ensure_ascii=False).encode())
            files.sync_folder(history)
            with self._lock:
                self._settle(name, batch, pages.get(name, {}))
        with self._lock:
            self._deleted -= deleted
        return bool(deleted or batches)

    def _settle(self, name: str, batch: Batch, written: dict[str, KeptPage]) -> None:
        """Forget what is in the vault now, but not what has changed since."""
        if self._unwritten.get(name) is batch:
            del self._unwritten[name]
        waiting = self._pages.get(name, {})
        for page in written.values():
            if waiting.get(page.id) is page:
                del waiting[page.id]

    def closed(self) -> None:
        with self._lock:
            self.active, self._folder = False, None
            self._batches, self._unwritten, self._pages, self._deleted = {}, {}, {}, set()
            self.revision += 1


def _read_batch(folder: Path) -> Batch | None:
    """None for what is no whole batch: one that was being written when the stick was pulled."""
    if not _ID.match(folder.name):
        return None
    try:
        found = json.loads((folder / _BATCH).read_bytes())
        return Batch(folder.name, float(found["at"]), tuple(found["names"]), tuple(found["pages"]))
    except (OSError, ValueError, KeyError, TypeError):
        log.warning("a batch in the vault is not whole")
        return None


def _read_page(folder: Path, page: str) -> KeptPage | None:
    record = files.read(folder / f"{page}.json") if _ID.match(page) else None
    return None if record is None else KeptPage(page, record, files.read(folder / f"{page}.jpg"))


def _write_page(folder: Path, page: KeptPage) -> None:
    if page.picture is not None:
        files.write(folder / f"{page.id}.jpg", page.picture)
    files.write(folder / f"{page.id}.json", page.record)


def _remove(folder: Path) -> None:
    """The batch first: a deletion that is broken off leaves nothing that is named."""
    (folder / _BATCH).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent.is_dir():
        files.sync_folder(folder.parent)
