"""A watched folder: what newly appears in it is read by itself, and saved to its stick if that is asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from runtime.kiosk.documents import Document
from runtime.kiosk.pages import Page, Status, shown_name
from runtime.kiosk.parts import Left, MadeOnce, Part, Put
from runtime.kiosk.saving import export_room
from runtime.media.failures import GONE, HELPER_DOWN
from runtime.media.wire import FileEntry, Stick
from runtime.problems import STICK_GONE, Problem

if TYPE_CHECKING:
    from runtime.kiosk.reading import Reading
    from runtime.kiosk.session import Session
    from runtime.media.client import MediaClient

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
_PASSING = frozenset({STICK_GONE.code, HELPER_DOWN.code})
"""What is over when the stick or its helper is back."""


@dataclass
class _Watched:
    """`known`: files that were there, or were taken; `growing`: seen once, with the size they had.

    `folder` is the helper's path, "" for the whole stick. `unsaved`: documents whose results are still to be saved.
    `refused`: why the stick did not take them; nothing more is saved by itself until a person asks for it again.
    """

    stick: Stick
    folder: str
    save: bool
    known: set[str]
    growing: dict[str, int] = field(default_factory=dict)
    unsaved: list[Document] = field(default_factory=list)
    found: int = 0
    saved: int = 0
    problem: Problem | None = None
    refused: Problem | None = None

    def told(self) -> list[Any]:
        """As Watch.resume takes it."""
        unsaved = [document.id for document in self.unsaved]
        return [asdict(self.stick), self.folder, self.save, sorted(self.known), self.found, self.saved, unsaved]


class Watch(Part):
    """One folder at a time. A file is taken once its size has stayed the same from one look to the next."""

    name = "watch"

    def __init__(self, session: Session) -> None:
        self._session = session
        self._watched: _Watched | None = None
        self._outlives = MadeOnce()

    def state(self) -> Any:
        watched = self._watched
        if watched is None:
            return None
        return {
            "stick": watched.stick.label,
            "stick_id": watched.stick.id,
            "folder": shown_name(watched.folder),
            "save": watched.save,
            "found": watched.found,
            "saved": watched.saved,
            "problem": None if watched.problem is None else watched.problem.kind.code,
            "refused": None if watched.refused is None else watched.refused.kind.code,
        }

    def outlives(self, put: Put) -> Any:
        watched = self._watched
        if watched is None:
            return None
        now = watched.stick, watched.save, len(watched.known), watched.saved, len(watched.unsaved), id(watched)
        return self._outlives.of(now, watched.told)

    def resume(self, kept: Any, left: Left) -> None:
        stick, folder, save, known, found, saved, unsaved = kept
        watched = _Watched(Stick(**stick), str(folder), bool(save), set(known), found=int(found), saved=int(saved))
        watched.unsaved = [left.documents[each] for each in unsaved if each in left.documents]
        self._watched = watched

    async def begin(self, stick_id: str, folder: str, save: bool) -> None:
        """Watch `folder` ("" for all of the stick), as it is shown to people. What is there now is left alone."""
        stick = self._session.shelf.find(stick_id)
        if stick is None:
            raise Problem(STICK_GONE, GONE)
        files = await self._files(stick_id)
        paths = (path for entry in files if (path := _folder_of(entry, folder)) is not None)
        self._watched = _Watched(stick, next(paths, folder), save, {entry.path for entry in files})
        self._session.changed()

    def save(self, wanted: bool) -> None:
        """Whether the results of what comes in from now on are saved, and of what the stick did not take."""
        if self._watched is not None:
            self._watched.save, self._watched.refused = wanted, None
            self._session.changed()

    def end(self) -> None:
        self._watched = None
        self._session.changed()

    async def let_go(self) -> None:
        """What was to be saved is forgotten with the rest; what comes in later is another's."""
        self.end()

    async def follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self._watched is not None and self._session.saving is None:
                try:
                    await self._look(self._watched)
                except Problem as problem:
                    self._tell(self._watched, problem)

    async def _look(self, watched: _Watched) -> None:
        stick = self._session.shelf.same(watched.stick.id, watched.stick.uuid)
        if stick is None or stick.state != "ready":
            raise Problem(STICK_GONE, GONE)
        watched.stick = stick
        fresh = []
        for entry in await self._files(stick.id):
            if entry.path in watched.known or not entry.path.startswith(
                f"{watched.folder}/" if watched.folder else ""
            ):
                continue
            if watched.growing.get(entry.path) != entry.size_bytes:
                watched.growing[entry.path] = entry.size_bytes
                continue
            watched.growing.pop(entry.path)
            fresh.append(entry.path)
        if fresh:
            self._take(watched, stick, fresh)
        await self._save(watched)
        self._tell(watched, None)

    def _take(self, watched: _Watched, stick: Stick, paths: list[str]) -> None:
        documents = [
            Document(shown_name(path).rsplit("/", 1)[-1], "watch", path, stick.id, stick.uuid) for path in paths
        ]
        self._session.intake.take(documents, in_background=True)
        watched.known.update(paths)
        watched.found += len(documents)
        if watched.save or watched.refused:
            watched.unsaved += documents
        self._session.changed()

    async def _save(self, watched: _Watched) -> None:
        """Once nothing is being read: saving takes the stick away from whoever reads from it."""
        session, reading = self._session, self._session.reading
        if not watched.unsaved or watched.refused or (reading is not None and reading.running):
            return
        held = [] if reading is None else [page for page in reading.pages if _is_of(page, watched.unsaved)]
        read = [page for page in held if page.status is Status.READ]
        wanted, watched.unsaved = watched.unsaved, []
        media = session.shelf.media
        if not read or media is None or reading is None:
            return
        try:
            await self._put(watched, read, reading, media)
        except Problem as problem:
            watched.unsaved = wanted + watched.unsaved
            if problem.kind.code in _PASSING:
                raise
            watched.save, watched.refused = False, problem
            session.changed()

    async def _put(self, watched: _Watched, read: list[Page], reading: Reading, media: MediaClient) -> None:
        session, stick_id = self._session, watched.stick.id
        with session.shelf.held(stick_id):
            with export_room() as room:
                outputs = await session.exports.one_each(read, reading, media, stick_id, room, session.language)
                await media.save(stick_id, outputs, lambda _: None)
            watched.saved += len(read)
            with contextlib.suppress(Problem):  # the next look finds what is wrong with it
                await media.use(stick_id)

    async def _files(self, stick_id: str) -> tuple[FileEntry, ...]:
        media = self._session.shelf.media
        if media is None:
            raise Problem(HELPER_DOWN)
        return (await media.files(stick_id)).files

    def _tell(self, watched: _Watched, problem: Problem | None) -> None:
        before, watched.problem = watched.problem, problem
        if (before is None) != (problem is None):
            self._session.changed()


def _folder_of(entry: FileEntry, folder: str) -> str | None:
    """The helper's path of the folder that people see as `folder`, if this file is below it."""
    pieces = entry.path.split("/")[:-1]
    for depth in range(1, len(pieces) + 1):
        path = "/".join(pieces[:depth])
        if shown_name(path) == folder:
            return path
    return None


def _is_of(page: Page, documents: list[Document]) -> bool:
    return any(page.document is document for document in documents)
