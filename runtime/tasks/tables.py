"""HTML tables as rows of cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

Table = tuple[tuple[str, ...], ...]

_MOST_SPAN = 200
"""A wrong digit in a `rowspan` must not fill the memory."""
_TABLE_TAG = re.compile(r"<(/?)table(?:\s[^>]*)?>", re.IGNORECASE)


@dataclass(frozen=True)
class Cell:
    """One cell as it is written. `row`, `column`: its first place in the grid; `rows`, `columns`: how many it
    spans. `start`, `end`: where its content stands in the answer."""

    row: int
    column: int
    rows: int
    columns: int
    text: str
    start: int
    end: int

    def covers(self, row: int, column: int) -> bool:
        return self.row <= row < self.row + self.rows and self.column <= column < self.column + self.columns


def tables(answer: str) -> tuple[Table, ...]:
    """Every table of `answer`, also one without its end tag; nested ones count as text of their cell.

    Each row has as many cells as the widest; a cell that spans several stands in each of them.
    """
    return tuple(_grid(cells) for cells in table_cells(answer))


def table_cells(answer: str) -> tuple[tuple[Cell, ...], ...]:
    """The cells of every table of `answer`, as they are written. Of two that span one place the first has it."""
    found: list[tuple[Cell, ...]] = []
    for start, end in table_regions(answer):
        reader = _TableReader(answer[start:end], start)
        reader.feed(answer[start:end])
        reader.close()
        reader.finish(end)
        found += reader.tables
    return tuple(found)


def table_regions(answer: str) -> Iterator[tuple[int, int]]:
    """From each outermost table's tag to its end: what stands between them is no HTML, a formula's `<` no tag."""
    depth = start = 0
    for tag in _TABLE_TAG.finditer(answer):
        if tag[1] and depth == 1:
            yield start, tag.end()
        elif not tag[1] and not depth:
            start = tag.start()
        depth = max(0, depth + (-1 if tag[1] else 1))
    if depth:
        yield start, len(answer)


def _grid(cells: tuple[Cell, ...]) -> Table:
    grid: dict[tuple[int, int], str] = {}
    for cell in cells:
        for place in _places(cell):
            grid.setdefault(place, cell.text)
    rows, columns = (max(place[axis] for place in grid) + 1 for axis in (0, 1))
    return tuple(tuple(grid.get((row, column), "") for column in range(columns)) for row in range(rows))


def _places(cell: Cell) -> Iterator[tuple[int, int]]:
    for down in range(cell.rows):
        for right in range(cell.columns):
            yield cell.row + down, cell.column + right


class _TableReader(HTMLParser):
    """`base`: where `source` begins in the answer."""

    def __init__(self, source: str, base: int) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[tuple[Cell, ...]] = []
        self._line_starts = [base, *(base + at + 1 for at, sign in enumerate(source) if sign == "\n")]
        self._depth = 0
        self._cells: list[Cell] = []
        self._taken: set[tuple[int, int]] = set()
        self._row = -1
        self._column = 0
        self._cell: list[str] | None = None
        self._start = 0
        self._spans = (1, 1)

    def _at(self) -> int:
        line, offset = self.getpos()
        return self._line_starts[line - 1] + offset

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
        if self._depth != 1:
            return
        if tag == "tr":
            self._end_cell(self._at())
            self._row, self._column = self._row + 1, 0
        elif tag in ("td", "th"):
            self._end_cell(self._at())
            self._row = max(self._row, 0)
            given = dict(attrs)
            self._spans = _span(given.get("rowspan")), _span(given.get("colspan"))
            self._cell = []
            self._start = self._at() + len(self.get_starttag_text() or "")
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._depth == 1 and tag in ("td", "th", "tr"):
            self._end_cell(self._at())
        if tag == "table" and self._depth:
            self._depth -= 1
            if not self._depth:
                self.finish(self._at())

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def finish(self, at: int) -> None:
        """Close the table at work, if there is one; it ends at `at`."""
        self._end_cell(at)
        if self._cells:
            self.tables.append(tuple(self._cells))
        self._cells, self._taken, self._row, self._depth = [], set(), -1, 0

    def _end_cell(self, at: int) -> None:
        if self._cell is None:
            return
        text, self._cell = "".join(self._cell).strip(), None
        while (self._row, self._column) in self._taken:
            self._column += 1
        made = Cell(self._row, self._column, *self._spans, text, self._start, max(self._start, at))
        self._cells.append(made)
        self._taken.update(_places(made))


def _span(given: str | None) -> int:
    return max(1, min(_MOST_SPAN, int(given))) if given and given.isdecimal() else 1
