"""Which tokens (JWT) are good no more: revoked, or spent on the one call that they were good for."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from runtime.config import TokenConfig

_REVOKED = TypeAdapter(tuple[tuple[Annotated[str, Field(pattern="^[0-9a-f]{64}$")], float], ...])


class Ledger:
    """Digests of tokens' ids that are good no more, in a database beside the file of keys. May be asked from several
    threads, one at a time; what another ledger of the same file has written is seen."""

    def __init__(self, beside: Path, clock: Callable[[], float] = time.time) -> None:
        beside.parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        path = beside.with_name(f"{beside.name}.tokens")
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "CREATE TABLE IF NOT EXISTS spent (digest TEXT PRIMARY KEY, until REAL NOT NULL);"
            "CREATE TABLE IF NOT EXISTS revoked (digest TEXT PRIMARY KEY, until REAL NOT NULL);"
        )

    def spend(self, jti: str, until: float) -> bool:
        """False if it was spent before. `until`: seconds since 1970 after which nobody accepts it anyway."""
        with self._db:
            self._db.execute("DELETE FROM spent WHERE until < ?", (self._clock(),))
            entry = (_digest(jti), until)
            return self._db.execute("INSERT OR IGNORE INTO spent VALUES (?,?)", entry).rowcount == 1

    def revoke(self, jti: str, longest_s: float) -> None:
        """`longest_s`: no token is accepted for longer than that, so that it need not be remembered longer."""
        with self._db:
            self._db.execute("DELETE FROM revoked WHERE until < ?", (self._clock(),))
            self._db.execute("INSERT OR REPLACE INTO revoked VALUES (?,?)", (_digest(jti), self._clock() + longest_s))

    def is_revoked(self, jti: str) -> bool:
        return self._db.execute("SELECT 1 FROM revoked WHERE digest=?", (_digest(jti),)).fetchone() is not None

    def dumped(self) -> bytes:
        """What is revoked, as JSON, to be kept elsewhere; what is spent lives as shortly as its tokens do."""
        rows = self._db.execute(
            "SELECT digest, until FROM revoked WHERE until >= ? ORDER BY digest", (self._clock(),)
        ).fetchall()
        return json.dumps(rows).encode()

    def take_in(self, dumped: bytes) -> None:
        """Revoke what was revoked elsewhere too, until the later of two times. Raises ValueError if it is damaged."""
        rows = _REVOKED.validate_json(dumped)
        with self._db:
            self._db.executemany(
                "INSERT INTO revoked VALUES (?,?) ON CONFLICT (digest) DO UPDATE SET until=max(until, excluded.until)",
                rows,
            )


def remembered_s(config: TokenConfig) -> float:
    """How long a revoked token must be remembered: it may not even be valid yet."""
    return config.longest_s + 2 * config.skew_s + 86_400


def _digest(jti: str) -> str:
    return hashlib.sha256(jti.encode("utf-8", "surrogatepass")).hexdigest()
