"""What is known of a request while it is answered: whose it is, and what its line in the log will say."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any


@dataclass
class Notes:
    """`caller`: a key's id or a token's subject; "" where none was wanted. `code`: of the problem answered.

    Nothing of what was sent stands here: no file's name, no text.
    """

    caller: str = ""
    pages: int = 0
    task: str = ""
    engine: str = ""
    code: str = ""


def notes_of(scope: MutableMapping[str, Any]) -> Notes:
    """The request's notes, begun where there are none."""
    state = scope.setdefault("state", {})
    notes = state.setdefault("notes", Notes())
    assert isinstance(notes, Notes)
    return notes


def caller_of(scope: MutableMapping[str, Any]) -> str:
    """Who asks: by key where one is wanted, else by address."""
    client = scope.get("client")
    return notes_of(scope).caller or (str(client[0]) if client else "")
