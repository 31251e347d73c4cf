"""What pages are read for: the tasks with what the engine cannot do, the forms, and what was chosen last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from runtime.gateway.recognition import AUTO, Recognition, Want
from runtime.kiosk.contracts import Reader
from runtime.kiosk.own_forms import MOST_FORMS, FormsOfSession, FormStore, OwnForm
from runtime.problems import BAD_REQUEST, TASK_NOT_AVAILABLE, Problem
from runtime.revisions import first_revision
from runtime.tasks.task import Language, Task

Tile = tuple[str, Task, Language]
"""Its name on the page, its task, the language of a translation."""
TILES: tuple[Tile, ...] = (
    ("auto", Task.TEXT, "en"),
    ("text", Task.TEXT, "en"),
    ("document", Task.DOCUMENT, "en"),
    ("table", Task.TABLE, "en"),
    ("fields", Task.FIELDS, "en"),
    ("formula", Task.FORMULA, "en"),
    ("chart", Task.CHART, "en"),
    ("subtitle", Task.SUBTITLE, "en"),
    ("translate_zh", Task.TRANSLATE, "zh"),
    ("translate_en", Task.TRANSLATE, "en"),
    ("spotting", Task.SPOTTING, "en"),
    ("prompt", Task.TEXT, "en"),
)


class Choice:
    """`want`: what pages that come in now are read for. `store`: may be replaced, by a vault's."""

    def __init__(self, reader: Reader, recognition: Recognition, changed: Callable[[], None]) -> None:
        self.want = Want()
        self.store: FormStore = FormsOfSession()
        self.revision = first_revision()
        self._reader = reader
        self._recognition = recognition
        self._changed = changed
        self._tiles = self._offered()

    def choose(self, want: Want) -> None:
        """Raises Problem as Recognition.check does, and TASK_NOT_AVAILABLE."""
        self._recognition.check(want)
        tile = _tile_of(want)
        refused = next((each for each in self._offered() if each["name"] == tile and not each["available"]), None)
        if refused is not None:
            raise Problem(TASK_NOT_AVAILABLE, str(refused["why"]))
        self.want = want
        self._tell()

    def keep(self, form: OwnForm) -> None:
        """Raises Problem BAD_REQUEST for a form that could not be read for."""
        name = form.name.strip()
        known = {each.name for each in self._recognition.forms}
        if not name or name in known or bool(form.keys) == bool(form.prompt):
            raise Problem(BAD_REQUEST, "A form has a name of its own, and either keys or a prompt.")
        self._recognition.check(want_of(form))
        if len(self.store.forms()) >= MOST_FORMS:
            raise Problem(BAD_REQUEST, f"At most {MOST_FORMS} forms.")
        self.store.keep(OwnForm(name, form.keys, form.prompt))
        self._tell()

    def forget(self, name: str) -> None:
        self.store.forget(name)
        self._tell()

    def look(self) -> None:
        """See whether the engines can do something else now."""
        tiles = self._offered()
        if tiles != self._tiles:
            self._tiles = tiles
            self._tell()

    def _tell(self) -> None:
        self.revision += 1
        self._changed()

    def state(self) -> dict[str, Any]:
        return {"revision": self.revision, "tile": _tile_of(self.want), **asdict(self.want)}

    def offers(self) -> dict[str, Any]:
        """Everything that can be chosen. A task that is not available says why, in both languages."""
        return {
            "revision": self.revision,
            "tiles": self._offered(),
            "forms": [
                {
                    "name": form.name,
                    "title": form.title or form.name,
                    "title_zh": form.title_zh or form.title or form.name,
                    "keys": [rule.key for rule in form.fields],
                }
                for form in self._recognition.forms
            ],
            "own": [asdict(form) for form in self.store.forms()],
        }

    def _offered(self) -> list[dict[str, Any]]:
        return [self._offer(*tile) for tile in TILES]

    def _offer(self, name: str, task: Task, to: Language) -> dict[str, Any]:
        reader = self._reader
        prompted = name == "prompt"
        available = reader.state != "ready" or reader.can(task, prompted=prompted)
        if name in ("auto", "fields"):  # fields are also found by layout, where lines have places
            available = available or reader.can(Task.SPOTTING)
        why, why_zh = ("", "") if available else reader.why_not(task, prompted=prompted)
        task_name = AUTO if name == "auto" else task.value
        return {"name": name, "task": task_name, "to": to, "available": available, "why": why, "why_zh": why_zh}


def want_of(form: OwnForm) -> Want:
    """What a form of one's own asks of a page."""
    if form.prompt:
        return Want(task=Task.TEXT, prompt=form.prompt)
    return Want(task=Task.FIELDS, keys=form.keys)


def _tile_of(want: Want) -> str:
    if want.prompt:
        return "prompt"
    if want.is_for_fields:
        return "fields"
    return f"translate_{want.to}" if want.task is Task.TRANSLATE else str(want.task)
