"""What outlives a killed gateway: small facts and pages in SQLite, and files beside it, in one folder on tmpfs.

The folder is this user's alone. Nothing of it outlives the machine: it is memory, as the process's own is. There
is no flushing, for what a process has written is there when it is killed; WAL keeps each transaction whole.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.kiosk.held import Held, size_bytes

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (id TEXT PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pages (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL, record TEXT NOT NULL, recognised TEXT, edits TEXT NOT NULL,
    begun INTEGER NOT NULL DEFAULT 0
);
"""
_STAYS_FREE = 0.25
_STAYS_FREE_BYTES = 512 * 1024 * 1024
"""Of the folder's file system, the lesser of both: it is the station's /run, which others need too."""
_MOST_STARTS = 3


class Damaged(Exception):
    """What an earlier process has left cannot be read, or has ended processes that took it up."""


@dataclass(frozen=True)
class KeptPage:
    """`recognised`, `edits`, `record`: JSON. `begun`: how often it was being read when it was kept."""

    id: str
    number: int
    record: str
    recognised: str | None
    edits: str
    begun: int = 0


class SessionStore:
    """Used from one thread. All methods raise OSError or sqlite3.Error where there is no room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._room = folder / "files"
        self._room.mkdir(mode=0o700, exist_ok=True)
        self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.folder / "session.db", check_same_thread=False, isolation_level=None)
        try:
            db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA secure_delete=ON;" + _SCHEMA)
        except sqlite3.Error:
            db.close()
            raise
        return db

    @classmethod
    def opened(cls, folder: Path) -> tuple[SessionStore, bool]:
        """The store, and whether what was there had to be thrown away because it is damaged."""
        try:
            store = cls(folder)
            store._db.execute("PRAGMA quick_check").fetchall()
            return store, False
        except sqlite3.DatabaseError:
            shutil.rmtree(folder)
            return cls(folder), True

    def close(self) -> None:
        self._db.close()

    def begin_resuming(self) -> None:
        """Raises Damaged if this was begun several times and never came to its end."""
        starts = int(self.facts().get("starts", 0)) + 1
        if starts > _MOST_STARTS:
            raise Damaged("several processes ended while they took it up")
        self.keep({"starts": starts}, {}, [])

    def resumed(self) -> None:
        self.keep({"starts": 0}, {}, [])

    def facts(self) -> dict[str, Any]:
        return {name: json.loads(value) for name, value in self._db.execute("SELECT name, value FROM facts")}

    def documents(self) -> dict[str, dict[str, Any]]:
        return {each: json.loads(record) for each, record in self._db.execute("SELECT id, record FROM documents")}

    def pages(self) -> list[KeptPage]:
        """In their order."""
        rows = self._db.execute("SELECT id, number, record, recognised, edits, begun FROM pages ORDER BY number")
        return [KeptPage(*row) for row in rows]

    def keep(
        self,
        facts: Mapping[str, Any],
        documents: Mapping[str, Mapping[str, Any]],
        pages: Sequence[KeptPage],
        *,
        begun: Collection[str] = (),
    ) -> None:
        """In one transaction; what is not named stays. `begun`: pages that are being read from now on. A page
        without `recognised` keeps the one that it has, if it is still read."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?,?)",
                [(name, json.dumps(value)) for name, value in facts.items()],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO documents VALUES (?,?)",
                [(each, json.dumps(record)) for each, record in documents.items()],
            )
            self._db.executemany(
                "INSERT INTO pages (id, number, record, recognised, edits) VALUES (?,?,?,?,?) "
                "ON CONFLICT (id) DO UPDATE SET number=excluded.number, record=excluded.record, edits=excluded.edits, "
                "recognised=COALESCE(excluded.recognised, recognised)",
                [(page.id, page.number, page.record, page.recognised, page.edits) for page in pages],
            )
            self._db.executemany("UPDATE pages SET begun=begun+1 WHERE id=?", [(page,) for page in begun])

    def drop_pages(self) -> None:
        """Of the batch that was here no page, no document and no text stays, in the database or its journal."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM pages")
            self._db.execute("DELETE FROM documents")
        self.tidy()

    def empty(self) -> None:
        """Nothing stays."""
        with self._db:
            self._db.execute("DELETE FROM facts")
        self.drop_pages()
        self.drop_files(lambda _: False)

    def tidy(self) -> None:
        """Let go of what was deleted or replaced: the journal still has it."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def put(self, name: str, held: Held) -> Held:
        """Give these bytes a file of this name, and say where they are now: unchanged where there is no room."""
        place = self._room / name
        if held == place:
            return place
        partial = place.with_suffix(".partial")
        if isinstance(held, Path):
            partial.unlink(missing_ok=True)
            os.link(held, partial)
        else:
            if not self._has_room(size_bytes(held)):
                return held
            try:
                partial.write_bytes(held)
            except OSError:
                partial.unlink(missing_ok=True)
                return held
        partial.replace(place)
        return place

    def place(self, name: str) -> Path | None:
        """The file of this name; None if there is none."""
        place = self._room / name
        return place if name and place.is_file() else None

    def drop_files(self, wanted: Callable[[str], bool]) -> None:
        """Every file whose name is not wanted."""
        for file in self._room.iterdir():
            if not wanted(file.name):
                file.unlink()

    def _has_room(self, size: int) -> bool:
        found = os.statvfs(self._room)
        stays = min(_STAYS_FREE * found.f_blocks * found.f_frsize, _STAYS_FREE_BYTES)
        return found.f_bavail * found.f_frsize - size > stays
