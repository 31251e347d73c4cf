"""The vault as the gateway sees it: whether there is one, where it is, and what is kept in it.

What is kept is always in memory first and written to the vault from there. So a vault that is pulled out
takes nothing along but what was being written, and that is written again when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from runtime.media.failures import NOT_AVAILABLE
from runtime.media.vault_wire import VAULT_BUSY, VaultReport
from runtime.problems import Problem
from runtime.vault.client import VaultClient
from runtime.vault.passphrase import as_typed

log = logging.getLogger(__name__)

State = Literal["absent", "none", "locked", "open", "gone"]
_WRITE_EVERY_S = 1.0
_RECONNECT_S = 2.0
_TOLD_WITHIN_S = 3.0


class Kept(Protocol):
    """Something that lives in the vault while one is open. Called from one thread at a time; each may raise
    OSError where the vault is gone or full, and is called again later."""

    def opened(self, folder: Path) -> None:
        """A vault was opened: take in what it holds."""

    def write(self, folder: Path) -> bool:
        """Write what the vault does not hold yet, flushed; whether there was anything."""

    def closed(self) -> None:
        """It was locked: only what this session has made is left, in memory."""


class Vault:
    """`changed` is called whenever `state` or what `told` says is different."""

    def __init__(self, client: VaultClient | None, changed: Callable[[], None], kept: Sequence[Kept] = ()) -> None:
        self.folder: Path | None = None
        self.failing = False
        self._client = client
        self._changed = changed
        self._kept = tuple(kept)
        self._report = VaultReport()
        self._offered = False
        self._stage: str | None = None
        self._takes = False
        self._took_at = float("-inf")
        self._taken_in: set[int] = set()
        self._descriptor: int | None = None
        self._poke = asyncio.Event()
        self._writing = asyncio.Lock()

    @property
    def state(self) -> State:
        """absent: this station offers none. gone: pulled out while it was open."""
        if not self._offered:
            return "absent"
        if self._report.open is not None:
            return "open"
        if self._report.gone is not None:
            return "gone"
        return "locked" if self._report.vaults else "none"

    @property
    def takes_a_stick(self) -> bool:
        """A stick that disappears now becomes a vault; word of it may come a moment after the work is done."""
        return self._takes or time.monotonic() - self._took_at < _TOLD_WITHIN_S

    def told(self) -> dict[str, Any]:
        """For the page."""
        opened = self._report.open
        return {
            "state": self.state,
            "stage": self._stage,
            "failing": self.failing,
            "vaults": [
                {"id": each.id, "kind": each.kind, "label": each.label, "size_bytes": each.size_bytes,
                 "pulled": each.uuid == self._report.gone}
                for each in self._report.vaults
            ],
            "places": [
                {"id": each.id, "kind": each.kind, "label": each.label, "size_bytes": each.size_bytes,
                 "erases": list(each.erases)}
                for each in self._report.places
            ],
            "open": None if opened is None else {
                "kind": opened.kind, "label": opened.label, "size_bytes": opened.size_bytes,
                "repaired": opened.repaired,
            },
        }  # fmt: skip

    async def follow(self) -> None:
        """Runs for as long as the page is served; connects again whenever the helper went away."""
        if self._client is None:
            return
        writer = asyncio.create_task(self._write_on())
        try:
            while True:
                try:
                    async for report in self._client.watch():
                        self._offered = True
                        await self._take(report)
                except Problem as problem:
                    self._offered = problem.kind is not NOT_AVAILABLE and self._offered
                    if problem.kind is NOT_AVAILABLE:
                        return
                self._changed()
                await asyncio.sleep(_RECONNECT_S)
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer

    async def _take(self, report: VaultReport) -> None:
        was, was_in_use = self._report.open, self.state in ("open", "gone")
        self._report = report
        now = report.open
        if (None if now is None else now.opening) != (None if was is None else was.opening):
            async with self._writing:
                self._let_go()
                self._taken_in.clear()
                if now is not None:
                    await self._hold()
            self._poke.set()
        if was_in_use and now is None and report.gone is None:
            for kept in self._kept:
                kept.closed()
        self._changed()

    async def _hold(self) -> None:
        assert self._client is not None
        with contextlib.suppress(Problem):  # it is gone again: the next report says so
            self._descriptor = await self._client.folder()
            self.folder = Path(f"/proc/self/fd/{self._descriptor}")

    def _let_go(self) -> None:
        """A descriptor that is held would keep the vault's file system, and its key, in memory."""
        self.folder, self.failing = None, False
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def poke(self) -> None:
        """Something has to be written: do not wait for the next second. For the event loop's thread."""
        self._poke.set()

    async def _write_on(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._poke.wait(), _WRITE_EVERY_S)
            self._poke.clear()
            await self.write()

    async def write(self) -> None:
        """Take in what the vault holds, and write what it does not."""
        async with self._writing:
            folder = self.folder
            if folder is None:
                return
            failing = wrote = False
            for number, kept in enumerate(self._kept):
                try:
                    if number not in self._taken_in:
                        await asyncio.to_thread(kept.opened, folder)
                        self._taken_in.add(number)
                        wrote = True
                    wrote = await asyncio.to_thread(kept.write, folder) or wrote
                except (OSError, ValueError) as error:
                    failing = True
                    if not self.failing:
                        log.warning("the vault does not take what is kept: %s", type(error).__name__)
        if wrote or failing != self.failing:
            self.failing = failing
            self._changed()

    async def leave(self) -> None:
        """Write everything and let go, so that the vault can be closed."""
        await self.write()
        async with self._writing:
            self._let_go()

    async def make(self, place: str, passphrase: str, recovery: str | None) -> None:
        async with self._at_work() as client:
            self._takes = True
            try:
                await client.make(place, passphrase, recovery, self._on_stage)
            finally:
                self._takes, self._took_at = False, time.monotonic()

    async def unlock(self, vault: str, passphrase: str) -> None:
        async with self._at_work() as client:
            await client.unlock(vault, as_typed(passphrase), self._on_stage)

    async def lock(self) -> None:
        """Once everything is written."""
        async with self._at_work() as client:
            await self.write()
            async with self._writing:
                self._let_go()
            try:
                await client.lock()
            except Problem:
                await self._hold()
                raise

    async def change(self, passphrase: str, new: str) -> None:
        async with self._at_work() as client:
            await client.change(as_typed(passphrase), new)

    async def erase(self, vault: str) -> None:
        async with self._at_work() as client:
            await client.erase(vault)

    @contextlib.asynccontextmanager
    async def _at_work(self) -> AsyncIterator[VaultClient]:
        if self._client is None or not self._offered:
            raise Problem(NOT_AVAILABLE)
        if self._stage is not None:
            raise Problem(VAULT_BUSY, "Wait until it is done.")
        self._on_stage("begin")
        try:
            yield self._client
        finally:
            self._stage = None
            self._changed()

    def _on_stage(self, stage: str) -> None:
        self._stage = stage
        self._changed()
