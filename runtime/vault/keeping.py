"""What a gateway keeps in the vault beside the history: its API keys and the tokens that are revoked, its alerts, and
what it knows of its own accuracy."""

from __future__ import annotations

from runtime.accuracy.records import Records
from runtime.alerts.book import AlertBook
from runtime.config import StationConfig
from runtime.keys.first import FirstKeys
from runtime.keys.ledger import Ledger
from runtime.keys.ring import KeyRing
from runtime.vault.kept_document import KeptDocument


def kept_of(config: StationConfig, records: Records, alerts: AlertBook, first_keys: FirstKeys) -> list[KeptDocument]:
    """For runtime.vault.vault.Vault."""
    kept = [
        KeptDocument("accuracy.json", lambda: records.changes, records.dumped, records.take_in, records.clear),
        kept_alerts(alerts),
    ]
    if config.auth.required and config.auth.keys is not None:
        kept.append(kept_keys(KeyRing(config.auth.keys), first_keys))
        if config.auth.tokens is not None:
            kept.append(kept_tokens(Ledger(config.auth.keys)))
    return kept


def kept_alerts(book: AlertBook) -> KeptDocument:
    """Those of earlier sessions are shown while the vault is open, after this session's own."""
    return KeptDocument("alerts.json", lambda: book.changes, book.dumped, book.take_in, book.forget_earlier)


def kept_tokens(ledger: Ledger) -> KeptDocument:
    """A token that was revoked stays so on another day too; locking the vault makes none good again."""
    return KeptDocument("tokens.json", ledger.dumped, ledger.dumped, ledger.take_in)


def kept_keys(ring: KeyRing, first_keys: FirstKeys) -> KeptDocument:
    """Those of an earlier day are good again once the vault is open, and until the station is switched off:
    the vault holds digests alone, so that locking it has nothing to hide there."""

    def take_in(content: bytes) -> None:
        if ring.take_in(content):
            first_keys.withdraw()

    return KeptDocument("keys.json", ring.dumped, ring.dumped, take_in)
