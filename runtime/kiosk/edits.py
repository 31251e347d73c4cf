"""What a person changed on a page, in order, with undo and redo. What was read stays as it was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from runtime.gateway.recognition import Recognised
from runtime.kiosk.corrections import Draft, fitting, target_of


@dataclass(frozen=True)
class Edit:
    """`target`: `line:3`, `field:姓名`, `cell:0:1:2` (table, row, column) or `text`. `at`: when, in UTC.

    One with the same text before and after confirms it: a person saw the place and it is right.
    """

    target: str
    before: str
    after: str
    at: datetime


class Edits:
    """The edits of one reading of a page; a page that is read again begins with new ones.

    They are kept apart from what was read: methods that need it get it as `recognised`, always the same.
    """

    def __init__(self) -> None:
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._made: tuple[Recognised, Draft] | None = None
        self._finished: Recognised | None = None
        self.revision = 0
        """Grows with every change."""

    @classmethod
    def restored(cls, log: Sequence[Edit], undone: Sequence[Edit] = ()) -> Edits:
        """As they were when `log`, and `undone`, were kept."""
        edits = cls()
        edits._done, edits._undone = list(log), list(undone)
        return edits

    @property
    def log(self) -> tuple[Edit, ...]:
        """What holds now: an edit that was undone is not in it."""
        return tuple(self._done)

    @property
    def undone(self) -> tuple[Edit, ...]:
        """What can come back, the last of it first to do so."""
        return tuple(self._undone)

    @property
    def redoable(self) -> int:
        """How many edits were undone and can come back."""
        return len(self._undone)

    def __bool__(self) -> bool:
        return bool(self._done)

    def apply(self, recognised: Recognised, target: str, after: str) -> Edit | None:
        """Put `after` in the place of what stands at `target`; None if it stands there already.

        What was undone before can then no longer come back. Raises Problem BAD_REQUEST if the page has no
        such place or the text does not fit there; nothing is changed then.
        """
        place = target_of(target)
        after = fitting(place, after)
        draft = self._draft(recognised)
        before = draft.value(place)
        if before == after:
            return None
        try:
            draft.put(place, after)
        except BaseException:
            self._made = None
            raise
        edit = Edit(target, before, after, datetime.now(UTC))
        self._done.append(edit)
        self._undone.clear()
        self._changed(keep_draft=True)
        return edit

    def confirm(self, recognised: Recognised, target: str) -> Edit:
        """What stands at `target` is right. Raises Problem BAD_REQUEST if the page has no such place."""
        text = self._draft(recognised).value(target_of(target))
        edit = Edit(target, text, text, datetime.now(UTC))
        self._done.append(edit)
        self._undone.clear()
        self._changed(keep_draft=True)
        return edit

    @property
    def confirmed(self) -> frozenset[str]:
        """The targets that were found right, and not changed since."""
        last = {edit.target: edit for edit in self._done}
        return frozenset(target for target, edit in last.items() if edit.before == edit.after)

    def value(self, recognised: Recognised, target: str) -> str:
        """What stands at `target` now. Raises Problem BAD_REQUEST if the page has no such place."""
        return self._draft(recognised).value(target_of(target))

    def undo(self) -> Edit | None:
        """Take the last edit back; None if there is none."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        self._changed()
        return self._undone[-1]

    def redo(self) -> Edit | None:
        """Bring back the edit that was undone last; None if there is none."""
        if not self._undone:
            return None
        self._done.append(self._undone.pop())
        self._changed()
        return self._done[-1]

    def forget_undone(self) -> None:
        """Elsewhere something new was done: what was undone here no longer follows on it."""
        self._undone.clear()

    def edited(self, recognised: Recognised) -> Recognised:
        """The page with all edits applied and the fields' checks run anew; itself where there are none."""
        if not self._done:
            return recognised
        if self._finished is None or self._made is None or self._made[0] is not recognised:
            self._finished = self._draft(recognised).finished()
        return self._finished

    def _changed(self, *, keep_draft: bool = False) -> None:
        self.revision += 1
        self._finished = None
        if not keep_draft:
            self._made = None

    def _draft(self, recognised: Recognised) -> Draft:
        """The draft after the last edit. It is made from the beginning whenever it cannot be carried on."""
        if self._made is None or self._made[0] is not recognised:
            draft = Draft.start(recognised)
            for edit in self._done:
                if edit.after != edit.before:
                    draft.put(target_of(edit.target), edit.after)
            self._made = (recognised, draft)
        return self._made[1]
