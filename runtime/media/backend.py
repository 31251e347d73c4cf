"""What the helper's server needs from a kind of stick."""

from __future__ import annotations

from typing import Protocol

from runtime.media.saving import Contents, OnProgress
from runtime.media.wire import Document, Listing, Saved, Stick


class Sticks(Protocol):
    """All methods may be called from several threads. A stick that is not there: Problem STICK_GONE."""

    can_power_off: bool

    def refresh(self) -> None:
        """Look what is plugged in. Called once a second; must be cheap when nothing changed."""

    def sticks(self) -> tuple[Stick, ...]: ...

    def files(self, stick_id: str) -> Listing: ...

    def read(self, stick_id: str, path: str, limit_bytes: int) -> bytes: ...

    def names(self, stick_id: str, documents: tuple[Document, ...]) -> tuple[str, ...]:
        """What the parts of these documents would be called if they were saved now, in their order."""

    def save(
        self,
        stick_id: str,
        documents: tuple[Document, ...],
        contents: Contents,
        on_progress: OnProgress,
    ) -> Saved:
        """Write, flush, unmount, read back, unmount: the stick is `ejected` when this returns."""

    def use(self, stick_id: str) -> None:
        """Mount an ejected stick again."""

    def power(self, action: str) -> None:
        """`action` is "poweroff" or "reboot". Problem NOT_AVAILABLE where this is not a station."""

    def close(self) -> None:
        """Unmount everything."""
