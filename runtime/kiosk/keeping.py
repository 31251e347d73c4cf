"""The vault on the screen: its state for the page, and every page that was read or corrected into its history."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from typing import Any

from runtime.kiosk.page_records import dumped, loaded
from runtime.kiosk.pages import Page, Status
from runtime.kiosk.parts import Left, MadeOnce, Part, Put
from runtime.kiosk.reading import Reading
from runtime.kiosk.session import Session
from runtime.media.failures import GONE
from runtime.problems import NOT_FOUND, STICK_GONE, Problem
from runtime.vault.history import Batch, History, KeptPage
from runtime.vault.vault import Vault

_GATHER_S = 0.5
Version = tuple[int, int, object]


class Keeping(Part):
    """Plugged into the session. What is read while no vault is open is kept once one is, if it is still here."""

    name = "vault"

    def __init__(self, session: Session, vault: Vault, history: History) -> None:
        self.vault = vault
        self.history = history
        self._session = session
        self._reading: Reading | None = None
        self._batch = ""
        self._at = 0.0
        self._kept: dict[str, Version] = {}
        self._was_active = False
        self._kept_before: frozenset[str] = frozenset()
        self._outlives = MadeOnce()

    def state(self) -> dict[str, Any]:
        return {
            **self.vault.told(),
            "waiting": self.history.waiting,
            "history": {"revision": self.history.revision, "batches": len(self.history.batches())},
        }

    def outlives(self, put: Put) -> Any:
        """Which batch of the history this is, and whose pictures it has."""
        now = id(self._reading), self._batch, len(self._kept)
        return self._outlives.of(now, lambda: [self._batch, self._at, list(self._kept)])

    def resume(self, kept: Any, left: Left) -> None:
        batch, at, pictures = kept
        if left.reading is not None and batch:
            self._begin(left.reading, str(batch), float(at))
            self._kept_before = frozenset(pictures)

    def unlocked(self) -> bool:
        return self.vault.state == "open"

    async def lock_up(self) -> None:
        """Once everything is written; a vault that is just being made or opened is locked when that is done."""
        await asyncio.to_thread(self._gather)
        with suppress(Problem):
            await self.vault.lock()
            self._session.note("notice.vault_locked")

    def takes_a_stick(self) -> bool:
        return self.vault.takes_a_stick

    async def leave(self) -> None:
        await asyncio.to_thread(self._gather)
        await self.vault.leave()

    async def follow(self) -> None:
        following = asyncio.create_task(self.vault.follow())
        try:
            while True:
                await asyncio.sleep(_GATHER_S)
                change = self._session.next_change
                if await asyncio.to_thread(self._gather):
                    self.vault.poke()
                    self._session.changed()
                elif change is self._session.next_change:
                    await change.wait()
        finally:
            await self.leave()
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    def _gather(self) -> bool:
        """Give the history what it does not have of the pages that are here; whether there was anything."""
        reading = self._session.reading
        if self._was_active and not self.history.active:
            self._kept_before = frozenset()
        if self.history.active != self._was_active:
            self._was_active, self._kept = self.history.active, {}
        if reading is None or not self.history.active:
            return False
        if reading is not self._reading:
            self._begin(reading, uuid.uuid4().hex, time.time())
        read = [page for page in list(reading.pages) if page.status is Status.READ and page.recognised is not None]
        fresh = [page for page in read if self._kept.get(page.id) != _version(page)]
        if not fresh:
            return False
        versions = {page.id: _version(page) for page in fresh}
        batch = Batch(self._batch, self._at, tuple(page.name for page in read), tuple(page.id for page in read))
        self.history.keep(batch, [KeptPage(page.id, dumped(page), self._picture(page, reading)) for page in fresh])
        self._kept.update(versions)
        return True

    def _picture(self, page: Page, reading: Reading) -> bytes | None:
        """None where the vault has a sharper one: it then keeps that."""
        known = (page.id in self._kept or page.id in self._kept_before) and reading.album.is_reduced(page)
        return None if known else page.picture

    def _begin(self, reading: Reading, batch: str, at: float) -> None:
        self._reading, self._batch, self._at, self._kept = reading, batch, at, {}

    async def open_again(self, batch_id: str) -> None:
        """Look at a batch of the history. Raises Problem: NOT_FOUND, STICK_GONE, or the session's."""
        await asyncio.to_thread(self._gather)
        batch = next((each for each in self.history.batches() if each.id == batch_id), None)
        if batch is None:
            raise Problem(NOT_FOUND)
        try:
            pages = await asyncio.to_thread(self._pages, batch_id)
        except (OSError, KeyError, ValueError) as error:
            raise Problem(STICK_GONE, GONE) from error
        reading = await self._session.intake.take_up(pages)
        self._begin(reading, batch.id, batch.at)
        self._kept = {page.id: _version(page) for page in pages}

    def _pages(self, batch_id: str) -> list[Page]:
        documents: dict[str, Any] = {}
        return [loaded(page.id, page.record, page.picture, documents) for page in self.history.pages(batch_id)]

    def delete(self, batch_id: str) -> None:
        """Out of the history for good; pages of it that are on the screen stay there. Raises Problem NOT_FOUND."""
        try:
            self.history.delete(batch_id)
        except KeyError:
            raise Problem(NOT_FOUND) from None
        if batch_id == self._batch and self._reading is not None:
            self._kept = {page.id: _version(page) for page in self._reading.pages}
        self.vault.poke()
        self._session.changed()


def _version(page: Page) -> Version:
    log = page.edits.log
    return id(page.recognised), len(log), log[-1].at if log else None
