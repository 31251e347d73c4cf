"""What a request wants of a page, and how it is had: one reading, or lines first and then fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import TypeAdapter, ValidationError

from runtime.documents.cage import Cage
from runtime.documents.sheet import Sheet
from runtime.fields.forms import Form, of_keys, with_own
from runtime.fields.reading import Fields, choose, read_fields, with_values
from runtime.gateway.engine_client import OnProgress
from runtime.gateway.refusals import NO_FORM, UNKNOWN_FORM
from runtime.problems import BAD_REQUEST, Problem
from runtime.results import PageResult
from runtime.tasks.task import MOST_PROMPT_CHARACTERS, Ask, Key, Language, Task

Auto = Literal["auto"]
AUTO: Auto = "auto"
_KEYS = TypeAdapter(tuple[Key, ...])
_MOST_KEYS = 64


@dataclass(frozen=True)
class Want:
    """One request: a task, or "auto" to let the page decide between fields and text.

    `form`: a form's name, `keys`: fields' names; either makes it a request for fields. `prompt`: words of
    the person's own, for an engine that takes such; they go with the task `text`.
    """

    task: Task | Auto = AUTO
    form: str = ""
    keys: tuple[str, ...] = ()
    to: Language = "en"
    prompt: str = ""

    @property
    def is_for_fields(self) -> bool:
        return self.task is Task.FIELDS or (self.task == AUTO and bool(self.form or self.keys))


@dataclass(frozen=True)
class Recognised:
    """`fields` is None where none were asked for and the page is no form. `form`: by whose rules they were checked."""

    page: PageResult
    fields: Fields | None = None
    form: Form | None = None


class PageReader(Protocol):
    """Implemented by runtime.gateway.reader.Reader."""

    @property
    def cage(self) -> Cage: ...

    @property
    def state(self) -> str: ...

    def can(self, task: Task, *, prompted: bool = False) -> bool: ...

    def why_not(self, task: Task, *, prompted: bool = False) -> tuple[str, str]: ...

    async def read(
        self, source: bytes | Sheet, ask: Ask = ..., *, on_progress: OnProgress | None = None
    ) -> PageResult: ...


class Recognition:
    """Reads pages for requests. `own_forms`: the operator's."""

    def __init__(self, reader: PageReader, own_forms: Sequence[Form] = ()) -> None:
        self._reader = reader
        self.cage = reader.cage
        self.forms = with_own(own_forms)

    def check(self, want: Want) -> None:
        """Refuse, before anything is read, what no reading can answer.

        Raises Problem: BAD_REQUEST or UNKNOWN_FORM.
        """
        if want.prompt and want.task is not Task.TEXT:
            raise Problem(BAD_REQUEST, "prompt: it goes with the task `text`.")
        if len(want.prompt) > MOST_PROMPT_CHARACTERS:
            raise Problem(BAD_REQUEST, f"prompt: at most {MOST_PROMPT_CHARACTERS} characters.")
        if (want.form or want.keys) and not want.is_for_fields:
            raise Problem(BAD_REQUEST, "keys and form: they belong to the task `fields`.")
        try:
            _KEYS.validate_python(want.keys)
        except ValidationError as error:
            raise Problem(BAD_REQUEST, f"keys: {error.errors()[0]['msg']}") from None
        if len(want.keys) > _MOST_KEYS:
            raise Problem(BAD_REQUEST, f"keys: at most {_MOST_KEYS}.")
        if want.form and self._named(want.form) is None:
            known = ", ".join(form.name for form in self.forms)
            raise Problem(UNKNOWN_FORM, f"This station knows {known}.")
        if want.is_for_fields and not want.keys and not want.form and not self._can_see_lines():
            raise Problem(BAD_REQUEST, "keys: the task `fields` wants `keys` or `form` with this engine.")

    async def read(self, source: bytes | Sheet, want: Want, *, on_progress: OnProgress | None = None) -> Recognised:
        """Read one page. Raises Problem as `check` and `Reader.read` do, and NO_FORM."""
        self.check(want)
        if want.task == AUTO and not want.is_for_fields:
            return await self._by_content(source, on_progress)
        if not want.is_for_fields:
            assert isinstance(want.task, Task)
            ask = Ask(task=want.task, to=want.to, prompt=want.prompt)
            return Recognised(await self._reader.read(source, ask, on_progress=on_progress))
        return await self._fields(source, want, on_progress)

    async def _by_content(self, source: bytes | Sheet, on_progress: OnProgress | None) -> Recognised:
        task = Task.SPOTTING if self._can_see_lines() else Task.TEXT
        page = await self._reader.read(source, Ask(task=task), on_progress=on_progress)
        form = choose(page, self.forms)
        if form is None:
            return Recognised(page)
        fields = await self._of_form(source, page, form, on_progress)
        return Recognised(page, fields, form) if fields.fields else Recognised(page)

    async def _fields(self, source: bytes | Sheet, want: Want, on_progress: OnProgress | None) -> Recognised:
        form = self._named(want.form)
        if not self._can_see_lines():
            keys = want.keys or (() if form is None else tuple(rule.key for rule in form.fields))
            page = await self._reader.read(source, Ask(task=Task.FIELDS, keys=keys), on_progress=on_progress)
            asked = of_keys(keys, form)
            return Recognised(page, with_values(page, asked, page.fields or {}), asked)
        page = await self._reader.read(source, Ask(task=Task.SPOTTING), on_progress=on_progress)
        form = form or choose(page, self.forms)
        if want.keys:
            form = of_keys(want.keys, form)
        if form is None:
            raise Problem(NO_FORM, "Name the fields with `keys`, or the form with `form`.")
        return Recognised(page, await self._of_form(source, page, form, on_progress), form)

    async def _of_form(
        self, source: bytes | Sheet, page: PageResult, form: Form, on_progress: OnProgress | None
    ) -> Fields:
        """By layout; by an engine that reads fields where there is one, the lines then bearing it out."""
        if form.reader == "zone" or not self._reader.can(Task.FIELDS):
            return read_fields(page, form)
        keys = tuple(rule.key for rule in form.fields)
        read = await self._reader.read(source, Ask(task=Task.FIELDS, keys=keys), on_progress=on_progress)
        return with_values(page, form, read.fields or {})

    def _can_see_lines(self) -> bool:
        """False only where it is clear that no engine gives lines."""
        return self._reader.can(Task.SPOTTING) or self._reader.state != "ready"

    def _named(self, name: str) -> Form | None:
        return next((form for form in self.forms if form.name == name), None)
