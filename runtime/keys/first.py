"""The keys of a station that has none yet: made at its start, shown once, on its own screen."""

from __future__ import annotations

import logging

from pydantic import BaseModel

from runtime.config import AuthConfig
from runtime.keys.ring import KeyRing, Scope

log = logging.getLogger(__name__)

_SCOPES: tuple[Scope, ...] = ("ocr", "admin")


class ShownKey(BaseModel):
    """`key` is shown and then known to whoever saw it, and to nobody else."""

    id: str
    scope: Scope
    key: str


class FirstKeys:
    """Keys that nobody has seen when the gateway ends are of use to nobody: the next start replaces them."""

    def __init__(self, auth: AuthConfig) -> None:
        self._ring: KeyRing | None = None
        self._keys: list[ShownKey] = []
        if auth.required and auth.keys is not None:
            self._ring = KeyRing(auth.keys)
            try:
                self._make(self._ring)
            except (OSError, ValueError) as error:
                log.error("no first keys: the file of keys cannot be used (%s)", type(error).__name__)

    def show(self) -> list[ShownKey]:
        """Each once; empty from then on, and where the station had keys before."""
        shown, self._keys = self._keys, []
        if shown and self._ring is not None:
            self._ring.mark_seen()
        return shown

    def withdraw(self) -> None:
        """Others are there now: these were shown to nobody, and are good no more."""
        self._keys = []

    def _make(self, ring: KeyRing) -> None:
        ring.drop_unseen()
        if ring.records():
            return
        for scope in _SCOPES:
            record, key = ring.make((scope,), seen=False)
            self._keys.append(ShownKey(id=record.id, scope=scope, key=key))
        log.info("first keys were made; the station's own screen shows them once")
