"""What is kept of self-tests and of corrections: SQLite, beside the jobs where these are kept.

Every method is one transaction and may be called from any thread.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from runtime.accuracy.reviews import Correction, Review
from runtime.evaluate.measures import FieldCount
from runtime.evaluate.truths import Figures
from runtime.results import EngineInfo

_SCHEMA = """
CREATE TABLE IF NOT EXISTS selftests (id INTEGER PRIMARY KEY, run TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reviews (
    page TEXT PRIMARY KEY, at REAL NOT NULL, form TEXT NOT NULL, engine TEXT NOT NULL, models TEXT NOT NULL,
    lines INTEGER NOT NULL, lines_corrected INTEGER NOT NULL, signs INTEGER NOT NULL, edits INTEGER NOT NULL,
    fields_right INTEGER NOT NULL, fields_wrong INTEGER NOT NULL, fields_missed INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS corrections (
    id INTEGER PRIMARY KEY, page TEXT NOT NULL REFERENCES reviews ON DELETE CASCADE, line INTEGER NOT NULL,
    read_as TEXT NOT NULL, corrected TEXT NOT NULL
);
"""
_SELFTESTS_KEPT = 1000
_REVIEWS_KEPT = 100_000
_CORRECTIONS_KEPT = 10_000


class SelfTestRun(BaseModel):
    """A reading of the golden pages. Times are seconds since 1970 by the station's clock.

    `outcome`: "passed" within the bounds, "failed" beyond them or if a page was not read, "given-up" if
    users' pages left no time for it. `engine_memory_bytes`: of the engine's process, afterwards.
    """

    trigger: Literal["start", "request"]
    version: str
    started_at: float
    finished_at: float
    outcome: Literal["passed", "failed", "given-up"]
    why: str = ""
    figures: Figures
    seconds_a_page: float | None = None
    engine: EngineInfo | None = None
    engine_memory_bytes: int | None = None


class FormAccuracy(BaseModel):
    """Of the reviewed pages of one form that one engine read. `form` is "" for pages of none.

    `sign_accuracy`: 1 less the edits that people made over the signs they left standing; what an engine
    overlooked altogether is not in it. `field_f1`: of the fields as they were read, those after the
    corrections being the truth; None where the pages have none.
    """

    form: str
    engine: str
    models: str
    pages: int
    pages_corrected: int
    lines: int
    lines_corrected: int
    signs: int
    edits: int
    sign_accuracy: float
    fields: int
    fields_wrong: int
    field_f1: float | None
    first_at: float
    last_at: float


class KeptCorrection(Correction):
    """A correction, and of which page."""

    page: str
    form: str
    engine: str
    at: float


class Records:
    """`folder`: where they are kept; None for in memory, with this process. `keep_texts`: of corrections, too."""

    def __init__(
        self, folder: Path | None, *, keep_texts: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self.keeps_texts = keep_texts
        self._clock = clock
        self._lock = threading.Lock()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = ":memory:" if folder is None else folder / "accuracy.sqlite3"
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(
            "PRAGMA secure_delete=ON; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
            + _SCHEMA
        )

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def keep_selftest(self, run: SelfTestRun) -> None:
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT INTO selftests (run) VALUES (?)", (run.model_dump_json(),))
            self._db.execute(
                "DELETE FROM selftests WHERE id NOT IN (SELECT id FROM selftests ORDER BY id DESC LIMIT ?)",
                (_SELFTESTS_KEPT,),
            )

    def selftests(self, most: int = _SELFTESTS_KEPT) -> list[SelfTestRun]:
        """The newest first."""
        return [
            SelfTestRun.model_validate_json(run)
            for (run,) in self._rows("SELECT run FROM selftests ORDER BY id DESC LIMIT ?", most)
        ]

    def keep_reviews(self, reviews: Sequence[Review]) -> None:
        """Each page counts once, as it was reviewed last."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            for review in reviews:
                count = review.fields
                self._db.execute("DELETE FROM reviews WHERE page=?", (review.page,))
                self._db.execute(
                    "INSERT INTO reviews VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                    (review.page, self._clock(), review.form, review.engine.name, ", ".join(review.engine.models),
                     review.lines, len(review.corrections), review.signs.length, review.signs.edits,
                     count.right, count.wrong, count.missed),
                )  # fmt: skip
                if self.keeps_texts:
                    self._db.executemany(
                        "INSERT INTO corrections (page, line, read_as, corrected) VALUES (?,?,?,?)",
                        [(review.page, each.line, each.read_as, each.corrected) for each in review.corrections],
                    )
            for table, key, most in (("reviews", "rowid", _REVIEWS_KEPT), ("corrections", "id", _CORRECTIONS_KEPT)):
                self._db.execute(
                    f"DELETE FROM {table} WHERE {key} NOT IN (SELECT {key} FROM {table} ORDER BY {key} DESC LIMIT ?)",
                    (most,),
                )

    def forget_texts(self, pages: Sequence[str]) -> None:
        """Of these pages' corrections; their figures stay. Nothing of them is left in the files afterwards: what is
        deleted is overwritten, and the log that was written ahead is emptied."""
        with self._lock:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany("DELETE FROM corrections WHERE page=?", [(page,) for page in pages])
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def accuracy(self) -> list[FormAccuracy]:
        """By form, engine and its models, forms first."""
        return [
            FormAccuracy(
                form=form,
                engine=engine,
                models=models,
                pages=pages,
                pages_corrected=pages_corrected,
                lines=lines,
                lines_corrected=lines_corrected,
                signs=signs,
                edits=edits,
                sign_accuracy=round(max(0.0, 1 - edits / signs) if signs else float(not edits), 5),
                fields=right + missed,
                fields_wrong=missed,
                field_f1=round(FieldCount(right, wrong, missed).f1, 5) if right + wrong + missed else None,
                first_at=first_at,
                last_at=last_at,
            )
            for (
                form, engine, models, pages, pages_corrected, lines, lines_corrected, signs, edits,
                right, wrong, missed, first_at, last_at,
            ) in self._rows(
                "SELECT form, engine, models, COUNT(*), SUM(lines_corrected > 0), SUM(lines), SUM(lines_corrected), "
                "SUM(signs), SUM(edits), SUM(fields_right), SUM(fields_wrong), SUM(fields_missed), MIN(at), MAX(at) "
                "FROM reviews GROUP BY form, engine, models ORDER BY form='', form, engine, models"
            )
        ]  # fmt: skip

    def corrections(self) -> list[KeptCorrection]:
        """With their texts, the oldest first; empty where texts are not kept."""
        rows = self._rows(
            "SELECT c.page, r.form, r.engine, r.at, c.line, c.read_as, c.corrected "
            "FROM corrections c JOIN reviews r ON r.page=c.page ORDER BY r.at, c.page, c.line"
        )
        names = ("page", "form", "engine", "at", "line", "read_as", "corrected")
        return [KeptCorrection(**dict(zip(names, row, strict=True))) for row in rows]

    @property
    def changes(self) -> int:
        """Grows with every record that is kept or forgotten."""
        with self._lock:
            return self._db.total_changes

    def dumped(self) -> bytes:
        """Everything, as JSON, to be kept elsewhere."""
        queries = {
            "selftests": "SELECT run FROM selftests ORDER BY id",
            "reviews": "SELECT * FROM reviews ORDER BY at",
            "corrections": "SELECT page, line, read_as, corrected FROM corrections ORDER BY id",
        }
        return json.dumps({name: self._rows(query) for name, query in queries.items()}).encode()

    def take_in(self, dumped: bytes) -> None:
        """Add what was kept elsewhere, and is not here. Raises ValueError if it is damaged."""
        tables = json.loads(dumped)
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            here = [run for (run,) in self._db.execute("SELECT run FROM selftests ORDER BY id")]
            pages = {page for (page,) in self._db.execute("SELECT page FROM reviews")}
            # Older ones come first, as `selftests` expects.
            self._db.execute("DELETE FROM selftests")
            runs = [run for (run,) in tables["selftests"] if run not in here] + here
            self._db.executemany("INSERT INTO selftests (run) VALUES (?)", [(run,) for run in runs])
            places = ",".join("?" * 12)
            self._db.executemany(f"INSERT OR IGNORE INTO reviews VALUES ({places})", tables["reviews"])
            self._db.executemany(
                "INSERT INTO corrections (page, line, read_as, corrected) VALUES (?,?,?,?)",
                [row for row in tables["corrections"] if row[0] not in pages],
            )

    def clear(self) -> None:
        """Forget everything."""
        with self._lock, self._db:
            for table in ("corrections", "reviews", "selftests"):
                self._db.execute(f"DELETE FROM {table}")

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, closing(self._db.execute(query, values)) as cursor:
            return cursor.fetchall()
