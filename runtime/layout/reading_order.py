"""From the detector's pieces to a page's text in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from runtime.layout.columns import Column, beside, columns_of
from runtime.layout.direction import page_runs_left
from runtime.layout.geometry import Fragment, levelled, mirrored, skew
from runtime.layout.rows import Row, rows_of
from runtime.layout.spacing import CELL_GAP
from runtime.results import Line

_BLOCK_GAP = 0.8
"""White between two lines, in line heights over the column's usual, that starts a new block."""


@dataclass(frozen=True)
class Arrangement:
    """`lines` in reading order; `text` is them joined: a line break between printed lines, a blank
    line between blocks and columns, two spaces between the cells of one table row."""

    lines: tuple[Line, ...]
    text: str


def arrange(fragments: Sequence[Fragment]) -> Arrangement:
    """Put `fragments`, in any order, into reading order. Pieces with no text are left out."""
    printed = [fragment for fragment in fragments if fragment.text.strip()]
    angle = skew([fragment.quad for fragment in printed])
    rows = rows_of(printed, [levelled(fragment.quad, angle) for fragment in printed])
    if page_runs_left(row.text for row in rows):
        rows = [replace(row, box=mirrored(row.box)) for row in rows]
    columns = columns_of(rows)
    lines = tuple(
        Line(text=row.text.strip(), box=row.quad, score=row.score, column=index, reader=row.reader)
        for index, column in enumerate(columns)
        for row in column
    )
    return Arrangement(lines, "\n\n".join(_column_text(column) for column in columns))


def _column_text(column: Column) -> str:
    usual = _usual_gap(column)
    text = column[0].text.strip()
    for above, row in pairwise(column):
        text += _separator(above, row, usual) + row.text.strip()
    return text


def _separator(above: Row, row: Row, usual_gap: float) -> str:
    if beside(above, row):
        return CELL_GAP
    height = min(above.box.height, row.box.height)
    return "\n\n" if row.box.top - above.box.bottom > usual_gap + _BLOCK_GAP * height else "\n"


def _usual_gap(column: Column) -> float:
    """The median white between lines one under the other, in pixels; boxes may overlap a little."""
    gaps = [row.box.top - above.box.bottom for above, row in pairwise(column) if not beside(above, row)]
    return max(0.0, median(gaps)) if gaps else 0.0
