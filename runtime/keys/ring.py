"""The station's keys: kept as digests, each with its scopes; the keys themselves are shown once and not kept.

A key holds 256 bits of chance, so that a plain SHA-256 is enough: there is nothing to guess through.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

Scope = Literal["ocr", "admin"]
PREFIX = "ink_"
_SECRET_BYTES = 32


class KeyRecord(BaseModel):
    """`id` may be shown and logged. `made_at`: seconds since 1970 by the station's clock. `seen`: somebody
    has been shown the key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    digest: str
    scopes: tuple[Scope, ...]
    made_at: float
    revoked: bool = False
    seen: bool = True


_RECORDS = TypeAdapter(tuple[KeyRecord, ...])


class KeyRing:
    """The keys in the file `path`, read again whenever it changes; a file that is not there holds none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._records: tuple[KeyRecord, ...] = ()

    def records(self) -> tuple[KeyRecord, ...]:
        """All keys, revoked ones too. Raises ValueError if the file is damaged: then no key is good."""
        try:
            facts = self._path.stat()
        except FileNotFoundError:
            self._seen, self._records = None, ()
            return ()
        seen = (facts.st_mtime_ns, facts.st_ino)
        if seen != self._seen:
            self._records = _RECORDS.validate_json(self._path.read_bytes())
            self._seen = seen
        return self._records

    def find(self, key: str) -> KeyRecord | None:
        """The record of a key that is known and not revoked; None for any other. Compares in constant time."""
        digest = _digest(key)
        found: KeyRecord | None = None
        for record in self.records():
            if hmac.compare_digest(digest, record.digest) and not record.revoked:
                found = record
        return found

    def scopes_of(self, key: str) -> tuple[Scope, ...] | None:
        """What `find` finds is good for."""
        record = self.find(key)
        return None if record is None else record.scopes

    def make(self, scopes: tuple[Scope, ...], *, seen: bool = True) -> tuple[KeyRecord, str]:
        """A new key: its record, and the key itself, which is not kept anywhere."""
        key = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        record = KeyRecord(id=secrets.token_hex(4), digest=_digest(key), scopes=scopes, made_at=time.time(), seen=seen)
        self._write((*self.records(), record))
        return record, key

    def revoke(self, key_id: str) -> bool:
        """From now on the key of that id is refused. False if there is none."""
        records = self.records()
        self._write(
            tuple(each.model_copy(update={"revoked": True}) if each.id == key_id else each for each in records)
        )
        return any(each.id == key_id for each in records)

    def mark_seen(self) -> None:
        """Somebody has been shown all keys there are."""
        self._write(tuple(each.model_copy(update={"seen": True}) for each in self.records()))

    def drop_unseen(self) -> None:
        """Forget keys that were made and shown to nobody."""
        records = self.records()
        if not all(each.seen for each in records):
            self._write(tuple(each for each in records if each.seen))

    def dumped(self) -> bytes:
        """All keys that somebody has been shown, to be kept elsewhere."""
        return json.dumps([record.model_dump() for record in self.records() if record.seen]).encode()

    def take_in(self, dumped: bytes) -> bool:
        """Add keys that were kept elsewhere; whether there were any. Those that nobody has seen go then, and what
        either side has revoked stays so. Raises ValueError if they are damaged."""
        kept = {record.id: record for record in _RECORDS.validate_json(dumped)}
        if not kept:
            return False
        ours = {record.id: record for record in self.records() if record.seen}
        revoked = {record.id for record in (*kept.values(), *ours.values()) if record.revoked}
        both = {**kept, **ours}.values()
        self._write(tuple(each.model_copy(update={"revoked": each.id in revoked}) for each in both))
        return True

    def _write(self, records: tuple[KeyRecord, ...]) -> None:
        """Whole or not at all, for this user alone."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(f".{self._path.name}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump([record.model_dump() for record in records], file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
