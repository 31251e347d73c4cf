"""Looking into files of the list before they are read: how many pages they have, and what those look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.documents.parts import Description
from runtime.problems import STICK_GONE, Problem

if TYPE_CHECKING:
    from runtime.kiosk.session import Session

_File = tuple[int, int]
"""The listing's revision, and the number in it."""


@dataclass(frozen=True)
class _Looked:
    file: _File
    data: bytes


class Peek:
    """Remembers passwords that opened a file, until the listing is another, and the bytes of the last file."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._passwords: dict[_File, str] = {}
        self._last: _Looked | None = None

    def password(self, revision: int, number: int) -> str:
        return self._passwords.get((revision, number), "")

    async def describe(self, revision: int, number: int, password: str) -> Description:
        """Its pages. Raises Problem: the documents' kinds, LOCKED_DOCUMENT where the password is not right."""
        given = password or self.password(revision, number)
        description = await self._session.recognition.cage.describe(await self.data(revision, number), given)
        self._passwords = {file: known for file, known in self._passwords.items() if file[0] == revision}
        if given:
            self._passwords[(revision, number)] = given
        return description

    async def data(self, revision: int, number: int) -> bytes:
        """The file's bytes. Raises Problem."""
        shelf = self._session.shelf
        file = shelf.file(revision, number)
        last = self._last
        if last is not None and last.file == (revision, number):
            return last.data
        if shelf.chosen is None:
            raise Problem(STICK_GONE)
        data = await shelf.content(shelf.chosen, file.path, self._session.config.limits.upload_bytes)
        self._last = _Looked((revision, number), data)
        return data

    def forget(self) -> None:
        self._passwords, self._last = {}, None
