"""Which sticks are there, which one is shown, and what images it holds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from runtime.kiosk.pages import shown_name
from runtime.media.client import MediaClient
from runtime.media.failures import GONE, HELPER_DOWN
from runtime.media.wire import Snapshot, Stick
from runtime.problems import NOT_FOUND, STICK_GONE, Problem
from runtime.revisions import first_revision

log = logging.getLogger(__name__)

_RECONNECT_S = 2.0
_HEARD_WITHIN_S = 10.0


@dataclass(frozen=True)
class ShownFile:
    """`path` is the helper's, `folder` and `name` are for people."""

    path: str
    folder: str
    name: str
    size_bytes: int


class StickShelf:
    """Follows the helper. `on_gone` is called with each stick that was pulled out, as it was last."""

    def __init__(
        self, media: MediaClient | None, changed: Callable[[], None], on_gone: Callable[[Stick], None]
    ) -> None:
        self.media = media
        self.helper: Literal["ready", "down", "absent"] = "absent" if media is None else "down"
        self.sticks: tuple[Stick, ...] = ()
        self.can_power_off = False
        self.chosen: str | None = None
        self.files: tuple[ShownFile, ...] | None = None
        self.files_revision = first_revision()
        self.truncated = False
        self.problem: Problem | None = None
        self._changed = changed
        self._on_gone = on_gone
        self._listing: asyncio.Task[None] | None = None
        self._held = ""
        self._heard = asyncio.Event()

    async def follow(self) -> None:
        """Runs for as long as the page is served; connects again whenever the helper went away."""
        while self.media is not None:
            with contextlib.suppress(Problem):
                async for snapshot in self.media.watch():
                    self.helper = "ready"
                    self._take(snapshot)
            self.helper = "down"
            self._changed()
            await asyncio.sleep(_RECONNECT_S)

    def _take(self, snapshot: Snapshot) -> None:
        self._heard.set()
        before = self.sticks
        self.sticks, self.can_power_off = snapshot.sticks, snapshot.can_power_off
        for stick in before:
            if self.find(stick.id) is None:
                self._on_gone(stick)
        chosen = self.find(self.chosen)
        if chosen is None or (chosen.state == "ejected" and self.files is not None and chosen.id != self._held):
            self._forget()
        if self.chosen is None:
            fresh = [stick for stick in self.sticks if stick.state != "ejected"]
            if fresh:
                self.choose(fresh[0].id)
        self._changed()

    async def heard(self) -> None:
        """Wait until the helper has told for the first time what is plugged in; not for ever."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), 0 if self.media is None else _HEARD_WITHIN_S)

    def find(self, stick_id: str | None) -> Stick | None:
        return next((stick for stick in self.sticks if stick.id == stick_id), None)

    def same(self, stick_id: str, uuid: str) -> Stick | None:
        """The stick `stick_id`, or the same one after it was pulled out and put back."""
        again = (stick for stick in self.sticks if uuid and stick.uuid == uuid and stick.state == "ready")
        return self.find(stick_id) or next(again, None)

    @contextlib.contextmanager
    def held(self, stick_id: str) -> Iterator[None]:
        """Meanwhile the stick's list stays, though the stick is ejected: it is used again at once."""
        self._held = stick_id
        try:
            yield
        finally:
            self._held = ""

    def choose(self, stick_id: str) -> None:
        """Show this stick's images. Raises Problem STICK_GONE.

        The one that is shown is looked through again; its list holds until it is known to be another.
        """
        if self.find(stick_id) is None:
            raise Problem(STICK_GONE, GONE)
        if stick_id != self.chosen or self.files is None:
            self._forget()
        elif self._listing is not None:
            self._listing.cancel()
        self.chosen = stick_id
        self._listing = asyncio.create_task(self._list(stick_id))
        self._changed()

    def _forget(self) -> None:
        if self._listing is not None:
            self._listing.cancel()
            self._listing = None
        self.chosen, self.files, self.problem, self.truncated = None, None, None, False
        self.files_revision += 1

    async def _list(self, stick_id: str) -> None:
        assert self.media is not None
        try:
            listing = await self.media.files(stick_id)
            files = tuple(_shown(entry.path, entry.size_bytes) for entry in listing.files)
            if files == self.files and listing.truncated == self.truncated:
                return
            self.files, self.truncated, self.problem = files, listing.truncated, None
        except Problem as problem:
            self.files, self.problem = None, problem
        self.files_revision += 1
        self._changed()

    async def content(self, stick_id: str, path: str, limit_bytes: int) -> bytes:
        if self.media is None:
            raise Problem(HELPER_DOWN)
        return await self.media.read(stick_id, path, limit_bytes)

    def file(self, revision: int, number: int) -> ShownFile:
        """File `number` of the listing that the browser saw. Raises Problem if it is out of date."""
        if self.files is None or revision != self.files_revision:
            raise Problem(STICK_GONE, GONE)
        if not 0 <= number < len(self.files):
            raise Problem(NOT_FOUND)
        return self.files[number]

    def state(self) -> dict[str, Any]:
        return {
            "helper": self.helper,
            "can_power_off": self.can_power_off,
            "sticks": [
                {
                    "id": stick.id,
                    "label": stick.label,
                    "filesystem": stick.filesystem,
                    "size_bytes": stick.size_bytes,
                    "state": stick.state,
                    "writable": stick.writable,
                }
                for stick in self.sticks
            ],
            "chosen": self.chosen,
            "files": {
                "revision": self.files_revision,
                "count": None if self.files is None else len(self.files),
                "truncated": self.truncated,
                "problem": None if self.problem is None else self.problem.kind.code,
            },
        }


def _shown(path: str, size_bytes: int) -> ShownFile:
    shown = PurePosixPath(shown_name(path))
    folder = "" if shown.parent == PurePosixPath(".") else str(shown.parent)
    return ShownFile(path, folder, shown.name, size_bytes)
