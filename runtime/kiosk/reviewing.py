"""The review of a batch: every change in order over all its pages, with undo and redo, and search and replace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.kiosk.doubts import doubts
from runtime.kiosk.edits import Edit, Edits
from runtime.kiosk.page_view import page_view, stamp
from runtime.kiosk.pages import Page
from runtime.kiosk.parts import Left, MadeOnce, Part, Put
from runtime.kiosk.replacing import Match, Words, matches, replace
from runtime.problems import NOT_FOUND, Problem
from runtime.revisions import first_revision

if TYPE_CHECKING:
    from runtime.kiosk.session import Session

_MATCHES_SHOWN = 500


@dataclass(frozen=True)
class _Change:
    """`count` edits of one reading of a page, the first of them at `target`."""

    page: Page
    edits: Edits
    count: int
    target: str

    @property
    def holds(self) -> bool:
        """Not if the page was read anew since."""
        return self.page.edits is self.edits


_Step = list[_Change]
"""What was done at once: one edit, or a replacement on many pages."""


class Review(Part):
    """One history for all pages of the session's reading; a new reading begins a new one."""

    name = "review"

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reading: object = None
        self._steps: list[_Step] = []
        self._undone: list[_Step] = []
        self._revision = first_revision()
        self._doubts: dict[str, tuple[str, int]] = {}
        self._outlives = MadeOnce()

    def outlives(self, put: Put) -> Any:
        steps = id(self._reading), self._revision, len(self._steps), len(self._undone)
        both = self._steps, self._undone
        return self._outlives.of(steps, lambda: [[_outlived(step) for step in each] for each in both])

    def resume(self, kept: Any, left: Left) -> None:
        self._reading = left.reading
        self._steps, self._undone = (
            [[_Change(left.pages[page], left.pages[page].edits, count, target) for page, count, target in step]
             for step in each]
            for each in kept
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """`revision` grows when a person changed something."""
        self._follow_reading()
        return {"revision": self._revision, "undo": len(self._steps), "redo": len(self._undone)}

    def listing(self) -> dict[str, Any]:
        """Every page in a few words: enough to lay sheets out and to find the next doubtful place."""
        reading = self._session.reading
        return {
            "revision": 0 if reading is None else reading.pages_revision,
            "pages": [self._row(page) for page in (() if reading is None else reading.pages)],
        }

    def _row(self, page: Page) -> dict[str, Any]:
        result = page.result
        return {
            "name": page.name,
            "place": page.place,
            "sheets": page.sheets,
            "status": page.status,
            "stamp": stamp(page),
            "has_picture": page.shown is not None,
            "width": 0 if result is None else result.width,
            "height": 0 if result is None else result.height,
            "doubts": self._doubts_of(page),
            "edited": bool(page.edits),
        }

    def _doubts_of(self, page: Page) -> int:
        now = stamp(page)
        known = self._doubts.get(page.id)
        if known is None or known[0] != now:
            known = self._doubts[page.id] = now, len(doubts(page))
        return known[1]

    def view(self, number: int) -> dict[str, Any]:
        """Raises Problem NOT_FOUND if there is no such page."""
        return page_view(self._session.page(number))

    def edit(self, number: int, target: str, text: str) -> dict[str, Any]:
        """The page after the edit. Raises Problem as Page.edit does."""
        page = self._session.page(number)
        self._session.may_edit()
        if page.edit(target, text) is not None:
            self._did([_Change(page, page.edits, 1, target)])
        return page_view(page)

    def confirm(self, number: int, target: str) -> dict[str, Any]:
        """What stands there is right: it is no longer doubtful. The page as it is then; undone like an edit."""
        page = self._session.page(number)
        self._session.may_edit()
        page.confirm(target)
        self._did([_Change(page, page.edits, 1, target)])
        return page_view(page)

    def undo(self) -> dict[str, Any]:
        """Take the last step back, on all the pages it touched. Raises Problem NOT_FOUND if there is none."""
        return self._move(self._steps, self._undone, Edits.undo)

    def redo(self) -> dict[str, Any]:
        """Bring back what was undone last. Raises Problem NOT_FOUND if there is nothing."""
        return self._move(self._undone, self._steps, Edits.redo)

    def _move(self, source: list[_Step], target: list[_Step], move: Callable[[Edits], Edit | None]) -> dict[str, Any]:
        self._session.may_edit()
        self._follow_reading()
        if not source:
            raise Problem(NOT_FOUND, "There is nothing to take back or to bring back.")
        step = source.pop()
        for change in step:
            for _ in range(change.count):
                move(change.edits)
        target.append(step)
        self._told()
        reading = self._session.reading
        assert reading is not None
        return {
            "page": reading.pages.index(step[0].page),
            "target": step[0].target,
            "pages": len(step),
            "places": sum(change.count for change in step),
        }

    def search(self, words: Words) -> dict[str, Any]:
        """Where the words stand, in reading order: all counted, the first few hundred shown."""
        shown: list[dict[str, Any]] = []
        count = places = pages = 0
        for number, page in self._read_pages():
            found = matches(page, words)
            places += len(found)
            pages += bool(found)
            count += sum(len(match.spans) for match in found)
            shown += [_shown(number, page, match) for match in found[: max(0, _MATCHES_SHOWN - len(shown))]]
        return {"count": count, "places": places, "pages": pages, "matches": shown}

    def replace(self, words: Words, skipped: Sequence[tuple[int, str]]) -> dict[str, Any]:
        """Put other words in the place of these on every page, as one step. `skipped`: page numbers and targets."""
        self._session.may_edit()
        left_out = set(skipped)
        step: _Step = []
        for number, page in self._read_pages():
            before = len(page.edits.log)
            replace(page, words, {target for at, target in left_out if at == number})
            made = page.edits.log[before:]
            if made:
                step.append(_Change(page, page.edits, len(made), made[0].target))
        if step:
            self._did(step)
        return {"pages": len(step), "places": sum(change.count for change in step)}

    def _read_pages(self) -> list[tuple[int, Page]]:
        reading = self._session.reading
        pages = () if reading is None else reading.pages
        return [(number, page) for number, page in enumerate(pages) if page.recognised is not None]

    def _did(self, step: _Step) -> None:
        self._follow_reading()
        for undone in self._undone:
            for change in undone:
                change.edits.forget_undone()
        self._undone.clear()
        self._steps.append(step)
        self._told()

    def _told(self) -> None:
        self._revision += 1
        if self._session.reading is not None:
            self._session.reading.edited()

    def _follow_reading(self) -> None:
        """Forget what pages are gone, or were read anew, had changed."""
        if self._session.reading is not self._reading:
            self._reading = self._session.reading
            self._steps, self._undone = [], []
            self._doubts.clear()
        self._steps = _holding(self._steps)
        self._undone = _holding(self._undone)


def _outlived(step: _Step) -> list[list[Any]]:
    return [[change.page.id, change.count, change.target] for change in step]


def _holding(steps: list[_Step]) -> list[_Step]:
    if all(change.holds for step in steps for change in step):
        return steps
    kept = ([change for change in step if change.holds] for step in steps)
    return [step for step in kept if step]


def _shown(number: int, page: Page, match: Match) -> dict[str, Any]:
    return {
        "page": number,
        "name": page.name,
        "place": page.place,
        "sheets": page.sheets,
        "target": match.target,
        "text": match.text,
        "spans": match.spans,
    }
