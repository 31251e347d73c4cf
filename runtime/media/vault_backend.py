"""What the helper's server needs from a kind of vault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from runtime.media.vault_wire import Stage, VaultReport

OnStage = Callable[[Stage], None]


class Vaults(Protocol):
    """All methods may be called from several threads; one of them works at a time.

    `owner` is the user id that may use what is in an open vault. Secrets are bytes, as they were typed.
    """

    def refresh(self) -> None:
        """Look what is plugged in. Called once a second; must be cheap when nothing changed."""

    def report(self) -> VaultReport: ...

    def make(self, place: str, passphrase: bytes, recovery: bytes | None, owner: int, on_stage: OnStage) -> None:
        """Erase the place, make a vault there, open it. Problem VAULT_UNMADE if it cannot be done."""

    def unlock(self, vault: str, passphrase: bytes, owner: int, on_stage: OnStage) -> None:
        """Problem WRONG_PASSPHRASE, TOO_SOON (extra: wait_s), VAULT_GONE, VAULT_DAMAGED."""

    def folder(self) -> int:
        """A descriptor of the open vault's folder, for the caller to close. Problem VAULT_GONE."""

    def lock(self) -> None:
        """Flush and close the open vault; or expect one that was pulled out no longer."""

    def change(self, passphrase: bytes, new: bytes) -> None:
        """Of the open vault; what is in it stays. Problem WRONG_PASSPHRASE, TOO_SOON."""

    def erase(self, vault: str) -> None:
        """Destroy the keys of a locked vault: nobody can open it ever again; its place becomes free."""

    def close(self) -> None:
        """Before the machine goes off."""
