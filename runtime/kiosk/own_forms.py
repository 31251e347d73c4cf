"""Forms that people at this station made: a list of keys, or a prompt, under a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MOST_FORMS = 100


@dataclass(frozen=True)
class OwnForm:
    """One of `keys` and `prompt` is given."""

    name: str
    keys: tuple[str, ...] = ()
    prompt: str = ""


class FormStore(Protocol):
    """Where they are kept; called in the event loop, so that it must answer at once."""

    def forms(self) -> Sequence[OwnForm]:
        """In the order in which they were made."""

    def keep(self, form: OwnForm) -> None:
        """One of the same name is replaced."""

    def forget(self, name: str) -> None:
        """Does nothing if there is none of that name."""


class FormsOfSession:
    """Until the station is switched off or forgets."""

    def __init__(self) -> None:
        self._forms: dict[str, OwnForm] = {}

    def forms(self) -> Sequence[OwnForm]:
        return tuple(self._forms.values())

    def keep(self, form: OwnForm) -> None:
        self._forms[form.name] = form

    def forget(self, name: str) -> None:
        self._forms.pop(name, None)
