"""What stands around the results in a file: headings and names in one language, and where each page comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

ENGLISH: Mapping[str, str] = {
    "fields": "Fields",
    "lines": "Lines",
    "table": "Table {index}, page {page}",
    "file": "file",
    "page": "page",
    "form": "form",
    "field": "field",
    "value": "value",
    "text": "text",
    "score": "score",
    "check": "check",
    "why": "why",
    "picture": "picture",
    "pass": "pass",
    "fail": "fail",
    "unchecked": "unchecked",
}
"""What programs meet in files that they ask for: part of the interface."""


@dataclass(frozen=True)
class Origin:
    """The file that a page is from, and its number there, from 1."""

    file: str
    page: int


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True)
class Labels:
    """`words`: by ENGLISH's keys. `origins`: of each page of the file; none where that is nobody's concern.
    `form_title`: of a form's name; `sentence`: of what a check says in English."""

    words: Mapping[str, str] = field(default_factory=lambda: ENGLISH)
    origins: tuple[Origin, ...] = ()
    form_title: Callable[[str], str] = _as_it_is
    sentence: Callable[[str], str] = _as_it_is

    def state(self, state: str) -> str:
        """A check's state in words; "" of none."""
        return self.words[state] if state else ""

    def heading(self, index: int) -> str:
        """What stands over the page at `index` where a file holds those of several: its file, and its number there
        if there are more of it. "" elsewhere."""
        files = [origin.file for origin in self.origins]
        if len(set(files)) < 2:
            return ""
        file = files[index]
        return file if files.count(file) == 1 else f"{file} · {self.origins[index].page}"

    @property
    def place_headings(self) -> tuple[str, ...]:
        """Of the columns that say which page a row is from."""
        return (self.words["file"], self.words["page"]) if self.origins else (self.words["page"],)

    def place(self, index: int) -> tuple[str | int, ...]:
        """Those columns for the page at `index`, from 0."""
        return (self.origins[index].file, self.origins[index].page) if self.origins else (index + 1,)


PLAIN = Labels()
