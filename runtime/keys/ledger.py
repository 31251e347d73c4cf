"""Which tokens (JWT) are good no more: revoked, or spent on the one call that they were good for."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from runtime.config import TokenConfig


class Ledger:
    """Digests of tokens' ids that are good no more, in a database beside the file of keys."""

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


def remembered_s(config: TokenConfig) -> float:
    """How long a revoked token must be remembered: it may not even be valid yet."""
    return config.longest_s + 2 * config.skew_s + 86_400


def _digest(jti: str) -> str:
    return hashlib.sha256(jti.encode("utf-8", "surrogatepass")).hexdigest()
