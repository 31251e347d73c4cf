"""What a gateway keeps in the vault beside the history: its API keys, and what it knows of its own accuracy."""

from __future__ import annotations

from runtime.accuracy.records import Records
from runtime.config import StationConfig
from runtime.keys.first import FirstKeys
from runtime.keys.ring import KeyRing
from runtime.vault.kept_document import KeptDocument


def kept_of(config: StationConfig, records: Records, first_keys: FirstKeys) -> list[KeptDocument]:
    """For runtime.vault.vault.Vault."""
    kept = [KeptDocument("accuracy.json", lambda: records.changes, records.dumped, records.take_in, records.clear)]
    if config.auth.required and config.auth.keys is not None:
        kept.append(kept_keys(KeyRing(config.auth.keys), first_keys))
    return kept


def kept_keys(ring: KeyRing, first_keys: FirstKeys) -> KeptDocument:
    """Those of an earlier day are good again once the vault is open, and until the station is switched off:
    the vault holds digests alone, so that locking it has nothing to hide there."""

    def take_in(content: bytes) -> None:
        if ring.take_in(content):
            first_keys.withdraw()

    return KeptDocument("keys.json", ring.dumped, ring.dumped, take_in)
