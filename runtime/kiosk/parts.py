"""A part of the station that the page shows beside pages and sticks: a camera, a vault, the admin's page."""

from __future__ import annotations

from typing import Any


class Part:
    """`name`: the key of its state among what the page is told. Call Session.changed() when that changes."""

    name = ""

    def state(self) -> Any:
        """What the page is told of it; anything that JSON holds."""
        return None

    def screen(self) -> str | None:
        """The section that it asks for now; None mostly. It comes before pages and lists, after a save."""
        return None

    def holds(self) -> int:
        """Pages that it has and that are not being read yet, such as scans: they count as not saved."""
        return 0

    async def let_go(self) -> None:
        """Let go of whatever is left of pages: they are to be forgotten, saved or not."""

    def takes_a_stick(self) -> bool:
        """Whether a stick that goes now was taken by it, and not pulled out."""
        return False

    async def leave(self) -> None:
        """The machine is about to be switched off: what must be written is written when this returns."""

    async def follow(self) -> None:
        """Runs for as long as the page is served; cancelled at the end."""
