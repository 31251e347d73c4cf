"""The jobs' database: SQLite in WAL mode, so that a killed gateway loses nothing that it accepted.

Every method is one transaction. The store is used from one thread at a time.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.jobs.records import Claim, JobStatus, Order, PageFailure, PageOutcome, State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, caller TEXT NOT NULL, idempotency_key TEXT, digest TEXT NOT NULL, order_json TEXT NOT NULL,
    cancelled INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, finished REAL, served INTEGER NOT NULL DEFAULT 0,
    turn INTEGER NOT NULL DEFAULT 0, waited INTEGER NOT NULL DEFAULT 0, deadline REAL NOT NULL DEFAULT 0,
    UNIQUE (caller, idempotency_key)
);
CREATE TABLE IF NOT EXISTS files (
    job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, file INTEGER NOT NULL, name TEXT NOT NULL, data BLOB,
    PRIMARY KEY (job, file)
);
CREATE TABLE IF NOT EXISTS pages (
    job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, number INTEGER NOT NULL, file INTEGER NOT NULL,
    source TEXT NOT NULL, place INTEGER NOT NULL, shown INTEGER NOT NULL, pixels INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'queued', attempts INTEGER NOT NULL DEFAULT 0,
    result TEXT, code TEXT, detail TEXT, elapsed REAL,
    PRIMARY KEY (job, number)
);
CREATE INDEX IF NOT EXISTS pages_by_state ON pages (state, job, number);
"""
_SINCE_MADE = (("jobs", "turn"), ("jobs", "waited"), ("jobs", "deadline"), ("pages", "pixels"))
"""Columns that databases of earlier versions lack; a vault outlives a version."""
_MOST_ATTEMPTS = 3
_MOST_CALLERS = 10_000
SET_ASIDE = PageFailure(code="page-set-aside", detail="The service stopped three times while reading this page.")


class NewPage:
    """A page to be read, or a file that could not be opened (`failure`)."""

    def __init__(
        self, place: int, shown: int, source: str = "", failure: PageFailure | None = None, pixels: int = 0
    ) -> None:
        self.place, self.shown, self.source, self.failure, self.pixels = place, shown, source, failure, pixels


NewFile = tuple[str, bytes, Sequence[NewPage]]
"""Name, bytes, pages."""


class KeyReused(Exception):
    """The idempotency key came with another request before."""


@dataclass(frozen=True)
class Load:
    """What is kept: unfinished jobs, their pages that wait and how many pixels these have, all files' bytes."""

    jobs: int = 0
    pages: int = 0
    pixels: int = 0
    held_bytes: int = 0


class JobStore:
    """`path` is made if it is not there. What was being read when the last process died is queued again;
    jobs that a call waited for are dropped, for the call died with the process.

    Turns are shared out in a round: whoever has waited longest since the last page, or since coming, is next,
    first among callers, then among a caller's jobs. So nobody can take more than a share, neither with one
    large job nor with many small ones.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._callers: OrderedDict[str, int] = OrderedDict()
        """The turn at which each was last served, the longest ago first."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;" + _SCHEMA)
        with self._db:
            self._db.execute("BEGIN")
            for table, column in _SINCE_MADE:
                if column not in {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}:
                    self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0")
            self._db.execute("DELETE FROM jobs WHERE waited=1")
            self._db.execute(
                "UPDATE pages SET state='failed', code=?, detail=? WHERE state='running' AND attempts>=?",
                (SET_ASIDE.code, SET_ASIDE.detail, _MOST_ATTEMPTS),
            )
            self._db.execute("UPDATE pages SET state='queued' WHERE state='running'")
            for (job,) in self._db.execute("SELECT id FROM jobs WHERE finished IS NULL").fetchall():
                self._finish_if_complete(job)
            (self._turn,) = self._db.execute("SELECT COALESCE(MAX(turn), 0) FROM jobs").fetchone()

    def close(self) -> None:
        self._db.close()

    def accept(
        self,
        caller: str,
        order: Order,
        files: Sequence[NewFile],
        *,
        digest: str,
        idempotency_key: str | None = None,
        job: str | None = None,
        waited: bool = False,
        timeout_s: float | None = None,
    ) -> tuple[str, bool]:
        """Keep a job; its id, `job` if that is given, and whether it is new. `waited`: for a call that
        waits for it, and of no use without. `timeout_s`: what is not read by then need not be. Raises KeyReused.
        """
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if idempotency_key is not None:
                known = self._db.execute(
                    "SELECT id, digest FROM jobs WHERE caller=? AND idempotency_key=?", (caller, idempotency_key)
                ).fetchone()
                if known is not None:
                    if known[1] != digest:
                        raise KeyReused
                    return str(known[0]), False
            job = job or uuid.uuid4().hex
            self._db.execute(
                "INSERT INTO jobs (id, caller, idempotency_key, digest, order_json, created, turn, waited, deadline) "
                "VALUES (?,?,?,?,?,?,?,?,?)",
                (
                    job,
                    caller,
                    idempotency_key,
                    digest,
                    order.model_dump_json(),
                    self._clock(),
                    self._turn,
                    waited,
                    0 if timeout_s is None else self._clock() + timeout_s,
                ),
            )
            number = 0
            for index, (name, data, pages) in enumerate(files):
                self._db.execute("INSERT INTO files VALUES (?,?,?,?)", (job, index, name, data))
                for page in pages:
                    number += 1
                    failure = page.failure
                    self._db.execute(
                        "INSERT INTO pages (job, number, file, source, place, shown, pixels, state, code, detail) "
                        "VALUES (?,?,?,?,?,?,?,?,?,?)",
                        (job, number, index, page.source, page.place, page.shown, page.pixels,
                         "failed" if failure else "queued",
                         failure.code if failure else None, failure.detail if failure else None),
                    )  # fmt: skip
            self._finish_if_complete(job)
            return job, True

    def claim(self) -> Claim | None:
        """The next page to read, marked as being read; None if all is read."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            waiting = self._db.execute(
                "SELECT id, caller, turn, served FROM jobs WHERE cancelled=0 AND id IN "
                "(SELECT DISTINCT job FROM pages WHERE state='queued') ORDER BY created, rowid"
            ).fetchall()
            if not waiting:
                return None
            job, caller, _, _ = min(waiting, key=lambda row: (self._callers.get(row[1], 0), row[2], row[3]))
            number, order, file, data, place, attempts, waited = self._db.execute(
                "SELECT p.number, j.order_json, p.file, f.data, p.place, p.attempts, j.waited FROM pages p "
                "JOIN jobs j ON j.id=p.job JOIN files f ON f.job=p.job AND f.file=p.file "
                "WHERE p.state='queued' AND p.job=? ORDER BY p.number LIMIT 1",
                (job,),
            ).fetchone()
            self._db.execute(
                "UPDATE pages SET state='running', attempts=attempts+1 WHERE job=? AND number=?", (job, number)
            )
            self._turn += 1
            self._db.execute("UPDATE jobs SET served=served+1, turn=? WHERE id=?", (self._turn, job))
            self._served(caller)
        return Claim(
            job=job,
            number=number,
            order=Order.model_validate_json(order),
            file=file,
            data=data,
            page=place,
            attempt=attempts + 1,
            waited=bool(waited),
        )

    def _served(self, caller: str) -> None:
        self._callers[caller] = self._turn
        self._callers.move_to_end(caller)
        while len(self._callers) > _MOST_CALLERS:
            self._callers.popitem(last=False)

    def put_back(self, job: str, number: int) -> None:
        """A page that was claimed and could not be begun: it is queued again and no attempt is counted."""
        with self._db:
            self._db.execute(
                "UPDATE pages SET state='queued', attempts=MAX(0, attempts-1) "
                "WHERE job=? AND number=? AND state='running'",
                (job, number),
            )

    def finish_page(
        self, job: str, number: int, *, result: str | None = None, failure: PageFailure | None = None, elapsed_s: float
    ) -> bool:
        """Keep what became of a page; the job is finished with its last one. True if it is."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "UPDATE pages SET state=?, result=?, code=?, detail=?, elapsed=? "
                "WHERE job=? AND number=? AND state='running'",
                ("failed" if failure else "done", result, failure.code if failure else None,
                 failure.detail if failure else None, elapsed_s, job, number),
            )  # fmt: skip
            return self._finish_if_complete(job)

    def deadlines(self) -> dict[str, float]:
        """Of unfinished jobs that have one: in how many seconds it will have passed."""
        found = self._db.execute("SELECT id, deadline FROM jobs WHERE finished IS NULL AND deadline > 0").fetchall()
        return {job: deadline - self._clock() for job, deadline in found}

    def give_up(self, job: str, failure: PageFailure) -> None:
        """What of the job is not read failed for this reason."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "UPDATE pages SET state='failed', code=?, detail=? WHERE job=? AND state IN ('queued','running')",
                (failure.code, failure.detail, job),
            )
            self._finish_if_complete(job)

    def cancel(self, job: str) -> None:
        """No page of the job is begun any more; those read are kept."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            changed = self._db.execute(
                "UPDATE jobs SET cancelled=1, finished=? WHERE id=? AND finished IS NULL", (self._clock(), job)
            ).rowcount
            if changed:
                self._db.execute(
                    "UPDATE pages SET state='cancelled' WHERE job=? AND state IN ('queued','running')", (job,)
                )
                self._db.execute("UPDATE files SET data=NULL WHERE job=?", (job,))

    def status(self, job: str, keep_s: float) -> JobStatus | None:
        """None if there is no such job, or none any more."""
        found = self._db.execute("SELECT cancelled, created, finished FROM jobs WHERE id=?", (job,)).fetchone()
        if found is None:
            return None
        cancelled, created, finished = found
        counts: dict[str, int] = dict(
            self._db.execute("SELECT state, COUNT(*) FROM pages WHERE job=? GROUP BY state", (job,)).fetchall()
        )
        done, failed = counts.get("done", 0), counts.get("failed", 0)
        left = counts.get("queued", 0) + counts.get("running", 0)
        begun = done + failed + counts.get("running", 0)
        mean = self._db.execute(
            "SELECT AVG(elapsed) FROM pages WHERE job=? AND elapsed IS NOT NULL", (job,)
        ).fetchone()[0]
        return JobStatus(
            id=job,
            state="cancelled" if cancelled else _state(left, begun, done),
            pages=sum(counts.values()),
            pages_done=done,
            pages_failed=failed,
            seconds_left=None if mean is None or not left or cancelled else round(mean * left, 1),
            created_at=created,
            finished_at=finished,
            expires_at=None if finished is None else finished + keep_s,
        )

    def order(self, job: str) -> Order | None:
        """What was wanted of the job's pages; None if there is no such job."""
        found = self._db.execute("SELECT order_json FROM jobs WHERE id=?", (job,)).fetchone()
        return None if found is None else Order.model_validate_json(found[0])

    def outcomes(self, job: str) -> list[PageOutcome]:
        """Every page of the job, in order."""
        rows = self._db.execute(
            "SELECT p.number, f.name, p.source, p.shown, p.result, p.code, p.detail FROM pages p "
            "JOIN files f ON f.job=p.job AND f.file=p.file WHERE p.job=? ORDER BY p.number",
            (job,),
        ).fetchall()
        return [
            PageOutcome(
                number=number,
                file=name,
                source=source,
                page=shown,
                result=result,
                failure=None if code is None else PageFailure(code=code, detail=detail or ""),
            )
            for number, name, source, shown, result, code, detail in rows
        ]

    def sheet(self, job: str, number: int) -> tuple[bytes, int] | None:
        """The file's bytes and the page's place in it, from 0; None if they are not kept any more."""
        found = self._db.execute(
            "SELECT f.data, p.place FROM pages p JOIN files f ON f.job=p.job AND f.file=p.file "
            "WHERE p.job=? AND p.number=? AND f.data IS NOT NULL AND p.shown > 0",
            (job, number),
        ).fetchone()
        return None if found is None else (bytes(found[0]), int(found[1]))

    def load(self, caller: str | None = None) -> Load:
        """How much is kept and waits: of all jobs, or but for the bytes of one caller's."""
        whose, of = ("", ()) if caller is None else (" AND caller=?", (caller,))
        (jobs,) = self._db.execute(f"SELECT COUNT(*) FROM jobs WHERE finished IS NULL{whose}", of).fetchone()
        pages, pixels = self._db.execute(
            "SELECT COUNT(*), COALESCE(SUM(pixels), 0) FROM pages JOIN jobs ON jobs.id=pages.job "
            f"WHERE state='queued'{whose}",
            of,
        ).fetchone()
        (held,) = self._db.execute("SELECT COALESCE(SUM(LENGTH(data)), 0) FROM files").fetchone()
        return Load(int(jobs), int(pages), int(pixels), int(held))

    def make_room(self, size_bytes: int) -> None:
        """Let go of finished jobs' files, the oldest first, until `size_bytes` are free; results are kept."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            finished = self._db.execute(
                "SELECT j.id, SUM(LENGTH(f.data)) FROM jobs j JOIN files f ON f.job=j.id "
                "WHERE j.finished IS NOT NULL AND f.data IS NOT NULL GROUP BY j.id ORDER BY j.finished, j.rowid"
            ).fetchall()
            for job, held in finished:
                if size_bytes <= 0:
                    return
                self._db.execute("UPDATE files SET data=NULL WHERE job=?", (job,))
                size_bytes -= held

    def remove(self, job: str) -> None:
        """Delete a job and all that is kept of it."""
        with self._db:
            self._db.execute("DELETE FROM jobs WHERE id=?", (job,))

    def forget(self, keep_s: float) -> None:
        """Delete what finished longer ago than `keep_s` seconds."""
        with self._db:
            self._db.execute("DELETE FROM jobs WHERE finished IS NOT NULL AND finished < ?", (self._clock() - keep_s,))

    def _finish_if_complete(self, job: str) -> bool:
        left = self._db.execute(
            "SELECT COUNT(*) FROM pages WHERE job=? AND state IN ('queued','running')", (job,)
        ).fetchone()[0]
        if not left:
            self._db.execute("UPDATE jobs SET finished=COALESCE(finished, ?) WHERE id=?", (self._clock(), job))
        return not left


def _state(left: int, begun: int, done: int) -> State:
    if left:
        return "running" if begun else "queued"
    return "done" if done or not begun else "failed"
