"""Pages with known truth in a folder, and how what was read of them compares.

Beside `page.jpg` lies `page.txt`, its text, `page.json`, an object of its fields, `page.html`, its table,
or several of these.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from runtime.evaluate.measures import ErrorRate, FieldCount, characters, fields, words
from runtime.evaluate.trees import teds

_TRUTHS = (".txt", ".json", ".html")


@dataclass(frozen=True)
class Truth:
    """What stands on a page; None for what is not known of it. `table`: HTML."""

    text: str | None = None
    fields: dict[str, str] | None = None
    table: str | None = None


@dataclass(frozen=True)
class Score:
    """Of one page. `teds`: 0..1."""

    signs: ErrorRate | None = None
    words: ErrorRate | None = None
    fields: FieldCount | None = None
    teds: float | None = None


class Figures(BaseModel):
    """Of several pages: character and word error rate, field F1, mean TEDS; None where nothing was to be measured."""

    pages: int = 0
    failed: int = 0
    cer: float | None = None
    wer: float | None = None
    field_f1: float | None = None
    teds: float | None = None


def pages_with_truth(folder: Path) -> list[Path]:
    """Files beside which there is a truth, by name."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file()
        and path.suffix not in _TRUTHS
        and any(path.with_suffix(suffix).is_file() for suffix in _TRUTHS)
    ]


def truth_of(page: Path) -> Truth:
    """Raises OSError or ValueError if what lies beside the page cannot be read."""
    text, values, table = (_text(page.with_suffix(suffix)) for suffix in _TRUTHS)
    return Truth(text, None if values is None else json.loads(values), table)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def score(
    truth: Truth, *, text: str | None = None, values: dict[str, str] | None = None, table: str | None = None
) -> Score:
    """What was read, held against the truth; None for what was not read."""
    read_text = truth.text is not None and text is not None
    return Score(
        signs=characters(truth.text or "", text or "") if read_text else None,
        words=words(truth.text or "", text or "") if read_text else None,
        fields=None if truth.fields is None or values is None else fields(truth.fields, values),
        teds=None if truth.table is None or table is None else teds(truth.table, table),
    )


def figures(scores: list[Score], failed: int = 0) -> Figures:
    """Of all pages together: edits over signs, not the mean of the pages' rates."""
    signs = [each.signs for each in scores if each.signs is not None]
    spaced = [each.words for each in scores if each.words is not None]
    counted = [each.fields for each in scores if each.fields is not None]
    alike = [each.teds for each in scores if each.teds is not None]
    return Figures(
        pages=len(scores) + failed,
        failed=failed,
        cer=round(sum(signs, ErrorRate()).rate, 4) if signs else None,
        wer=round(sum(spaced, ErrorRate()).rate, 4) if spaced else None,
        field_f1=round(sum(counted, FieldCount()).f1, 4) if counted else None,
        teds=round(sum(alike) / len(alike), 4) if alike else None,
    )
