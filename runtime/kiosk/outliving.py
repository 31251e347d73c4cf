"""What the clerk brought in, had read and corrected outlives the gateway: whatever differs is written down at once.

Called at every change, before the page hears of it. Each part says what of it is to stay; of the pages only those
that changed are written, and bytes go into files, which from then on are the only place where they are held.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from runtime.kiosk.documents import Document
from runtime.kiosk.held import Held
from runtime.kiosk.page_records import dumped_edits, dumped_recognised, dumped_want
from runtime.kiosk.pages import Page, Status
from runtime.kiosk.session_store import KeptPage, SessionStore

if TYPE_CHECKING:
    from runtime.kiosk.reading import Reading
    from runtime.kiosk.session import Session

log = logging.getLogger(__name__)

_Changed = tuple[Page, KeptPage, tuple[object, ...]]
"""A page, what is written of it, and what it looked like then."""


class Outliving:
    """Plugged into `Session.outlives`."""

    def __init__(self, session: Session, store: SessionStore) -> None:
        self._session = session
        self._store = store
        self._reading: Reading | None = None
        self._facts: dict[str, Any] = {}
        self._documents: dict[str, Any] = {}
        self._pages: dict[str, tuple[object, ...]] = {}
        self._recognised: dict[str, object] = {}
        self._being_read: set[str] = set()
        self._seen: object = None
        self._names: set[str] = set()
        self._files_of_parts: set[str] = set()
        self._failing = False

    def keep(self) -> None:
        """Never fails: what cannot be written is held in memory, as it was, and tried again at the next change."""
        try:
            self._keep()
            self._failing = False
        except (OSError, sqlite3.Error) as error:
            if not self._failing:
                log.warning("what is here would not outlive this process: %s", type(error).__name__)
            self._failing = True

    def adopt(self, reading: Reading) -> None:
        """Go on with the pages that are in the store already."""
        self._reading = reading
        self._names = {f"{page.id}.jpg" for page in reading.pages} | {page.document.id for page in reading.pages}
        self._names |= {document.id for document, _ in reading.unopened}

    def close(self) -> None:
        self._store.close()

    def _keep(self) -> None:
        reading = self._session.reading
        another = reading is not self._reading
        if another:
            self._forget()
            self._reading = reading
        parts = self._parts()
        facts = {name: value for name, value in parts.items() if name not in self._facts or self._facts[name] != value}
        documents: dict[str, Any] = {}
        pages: list[_Changed] = []
        begun: set[str] = set()
        seen = None if reading is None else (reading.pages_revision, reading.edits, reading.album.revision)
        if reading is not None and seen != self._seen:
            documents = self._changed_documents(reading)
            pages, begun = self._changed_pages(reading)
        if facts or documents or pages or begun:
            self._store.keep(facts, documents, [kept for _, kept, _ in pages], begun=begun)
        self._facts.update(facts)
        self._documents.update(documents)
        for page, _, version in pages:
            self._pages[page.id] = version
            self._recognised[page.id] = page.recognised
        self._being_read |= begun
        self._seen = seen
        if another or (reading is None and facts):
            self._store.tidy()

    def _forget(self) -> None:
        """Another batch, or none: nothing of the last one stays, in files or elsewhere."""
        self._store.drop_pages()
        self._documents, self._pages, self._recognised, self._seen = {}, {}, {}, None
        self._being_read, self._names = set(), set()
        self._drop_files()

    def _parts(self) -> dict[str, Any]:
        """What everything but the pages says of itself."""
        names: set[str] = set()

        def put(name: str, held: Held) -> Held:
            names.add(name)
            return self._store.put(name, held)

        session, reading = self._session, self._session.reading
        facts = {
            "session": {"language": session.language, "looks_at": session.looks_at},
            "choice": {
                "want": dumped_want(session.choice.want),
                "forms": [asdict(form) for form in session.choice.store.forms()],
            },
            "reading": None if reading is None else {
                "edits": reading.edits,
                "saved_edits": reading.saved_edits,
                "paused": reading.paused,
                "unopened": [(document.id, dumped_want(want)) for document, want in reading.unopened],
            },
            **{f"part {part.name}": part.outlives(put) for part in session.parts if part.name},
        }  # fmt: skip
        if names != self._files_of_parts:
            self._files_of_parts = names
            self._drop_files()
        return facts

    def _drop_files(self) -> None:
        self._store.drop_files(lambda name: name in self._names or name in self._files_of_parts)

    def _changed_documents(self, reading: Reading) -> dict[str, Any]:
        found = {page.document.id: page.document for page in reading.pages}
        found |= {document.id: document for document, _ in reading.unopened}
        records = {each: self._document(document) for each, document in found.items()}
        return {each: record for each, record in records.items() if self._documents.get(each) != record}

    def _document(self, document: Document) -> dict[str, Any]:
        if document.data is not None:
            self._names.add(document.id)
            document.data = self._store.put(document.id, document.data)
        return {
            "name": document.name, "origin": document.origin, "path": document.path, "stick_id": document.stick_id,
            "stick_uuid": document.stick_uuid, "wanted": document.wanted, "password": document.password,
            "sheets": document.sheets, "held": document.data is not None,
        }  # fmt: skip

    def _changed_pages(self, reading: Reading) -> tuple[list[_Changed], set[str]]:
        changed: list[_Changed] = []
        for number, page in enumerate(reading.pages):
            if page.shown is not None:
                self._names.add(f"{page.id}.jpg")
                page.shown = self._store.put(f"{page.id}.jpg", page.shown)
            reduced = reading.album.is_reduced(page)
            version = (
                page.status, page.problem, page.recognised, page.edits, page.edits.revision, page.edits.redoable,
                page.place, page.member, reduced,
            )  # fmt: skip
            if not _same(self._pages.get(page.id), version):
                fresh = self._recognised.get(page.id) is not page.recognised
                changed.append((page, _kept(number, page, reduced=reduced, fresh=fresh), version))
        reading_now = {page.id for page in reading.pages if page.status is Status.READING}
        begun = reading_now - self._being_read
        self._being_read &= reading_now
        return changed, begun


def _same(before: tuple[object, ...] | None, now: tuple[object, ...]) -> bool:
    """By identity where things are large: what was read is never changed in place."""
    return before is not None and all(one is other or one == other for one, other in zip(before, now, strict=True))


def _kept(number: int, page: Page, *, reduced: bool, fresh: bool) -> KeptPage:
    problem = page.problem
    record = {
        "document": page.document.id,
        "place": page.place,
        "member": page.member,
        "want": dumped_want(page.want),
        "status": page.status,
        "problem": None if problem is None else [problem.kind.code, problem.detail],
        "source": [page.source_sha256, page.source_bytes],
        "reduced": reduced,
    }
    recognised = dumped_recognised(page.recognised) if fresh and page.recognised is not None else None
    return KeptPage(page.id, number, json.dumps(record), recognised, dumped_edits(page.edits))
