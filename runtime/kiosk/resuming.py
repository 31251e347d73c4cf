"""A gateway that starts takes up what the one before it had in hand when it was killed.

Pages that were read are as they were, those that waited are read on, and the one in hand is read again. What is
damaged is thrown away and told; a page that has taken three processes with it is set aside.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime import problems
from runtime.config import StationConfig
from runtime.documents import refusals
from runtime.gateway import refusals as gateway_refusals
from runtime.kiosk.documents import Document
from runtime.kiosk.outliving import Outliving
from runtime.kiosk.own_forms import OwnForm
from runtime.kiosk.page_records import loaded_edits, loaded_recognised, loaded_want
from runtime.kiosk.pages import Page, Status
from runtime.kiosk.parts import Left
from runtime.kiosk.session_store import Damaged, KeptPage, SessionStore
from runtime.media import failures
from runtime.problems import INTERNAL, PAGE_LOST, PAGE_SET_ASIDE, Problem, ProblemKind

if TYPE_CHECKING:
    from runtime.kiosk.session import Session

log = logging.getLogger(__name__)

_KINDS = {
    kind.code: kind
    for module in (problems, refusals, gateway_refusals, failures)
    for kind in vars(module).values()
    if isinstance(kind, ProblemKind)
}
_MOST_BEGUN = 3
_TORN = (ValueError, KeyError, TypeError, IndexError, AttributeError, Damaged)


def outlive(session: Session, config: StationConfig) -> Outliving | None:
    """Take up what was left, and from now on leave what is here; None where nothing outlives this process.

    In the event loop, before the parts begin to follow. Never fails.
    """
    if config.session_folder is None:
        return None
    try:
        return _outlive(session, config.session_folder)
    except (OSError, sqlite3.Error):
        log.exception("what is here would not outlive this process")
        return None


def _outlive(session: Session, folder: Path) -> Outliving:
    store, lost = SessionStore.opened(folder)
    outliving = Outliving(session, store)
    facts: dict[str, Any] = {}
    try:
        store.begin_resuming()
        facts = store.facts()
        left = _left(session, store, facts)
    except (*_TORN, sqlite3.DatabaseError):
        log.exception("what the last process left cannot be taken up")
        store.empty()
        lost = True
    else:
        if left.reading is not None:
            session.reading = left.reading
            outliving.adopt(left.reading)
        _take_up(session, facts, left)
        _tell(session, left)
        store.resumed()
    if lost:
        session.note("notice.session_lost")
    session.outlives = outliving.keep
    session.changed()
    return outliving


def _tell(session: Session, left: Left) -> None:
    waiting = sum(page.status in (Status.WAITING, Status.READING) for page in left.pages.values())
    waiting += 0 if left.reading is None else len(left.reading.unopened)
    if waiting:
        session.note("notice.resumed_reading", waiting)
    elif left.pages or any(part.holds() for part in session.parts):
        session.note("notice.resumed")


def _take_up(session: Session, facts: dict[str, Any], left: Left) -> None:
    """Each by itself: what of it is damaged is as in a new session."""

    def choose(kept: Any) -> None:
        for form in kept["forms"]:
            session.choice.store.keep(OwnForm(str(form["name"]), tuple(form["keys"]), str(form["prompt"])))
        session.choice.want = loaded_want(kept["want"])

    def set_up(kept: Any) -> None:
        session.language = str(kept["language"])
        session.looks_at = kept["looks_at"]

    steps = {"choice": choose, "session": set_up}
    for part in session.parts:
        steps[f"part {part.name}"] = lambda kept, part=part: part.resume(kept, left)  # type: ignore[misc]
    for name, step in steps.items():
        if facts.get(name) is None:
            continue
        try:
            step(facts[name])
        except (*_TORN, OSError, Problem):
            log.exception("not taken up: %s", name)


def _left(session: Session, store: SessionStore, facts: dict[str, Any]) -> Left:
    documents = {each: _document(each, record, store) for each, record in store.documents().items()}
    found = [(_page(kept, documents, store), kept) for kept in store.pages()]
    pages = {page.id: page for page, _ in found}
    about = facts.get("reading")
    if about is None or not (pages or about["unopened"]):
        return Left(None, pages, documents, store.place)
    reading = session.intake.new_reading()
    reading.take_over(
        list(pages.values()),
        [(documents[each], loaded_want(want)) for each, want in about["unopened"]],
        {page.id for page, kept in found if json.loads(kept.record)["reduced"]},
        edits=int(about["edits"]),
        saved_edits=about["saved_edits"],
        paused=bool(about["paused"]),
    )
    return Left(reading, pages, documents, store.place)


def _document(document_id: str, record: dict[str, Any], store: SessionStore) -> Document:
    held = record.pop("held")
    document = Document(**record, id=document_id)
    if held:
        document.data = store.place(document_id) or b""
    return document


def _page(kept: KeptPage, documents: dict[str, Document], store: SessionStore) -> Page:
    record = json.loads(kept.record)
    code, detail = record["problem"] or ("", "")
    page = Page(
        documents[record["document"]],
        int(record["place"]),
        loaded_want(record["want"]),
        str(record["member"]),
        Status(record["status"]),
        None if kept.recognised is None else loaded_recognised(kept.recognised),
        Problem(_KINDS.get(code, INTERNAL), detail) if code else None,
        store.place(f"{kept.id}.jpg"),
        loaded_edits(kept.edits),
        id=kept.id,
    )
    page.source_sha256, page.source_bytes = str(record["source"][0]), int(record["source"][1])
    if page.status is Status.READING:
        page.status = Status.WAITING
        if kept.begun >= _MOST_BEGUN:
            page.status, page.problem = Status.FAILED, Problem(PAGE_SET_ASIDE)
    if page.status is Status.WAITING and page.document.data == b"":
        page.status, page.problem = Status.FAILED, Problem(PAGE_LOST, "Bring it in again.")
    return page
