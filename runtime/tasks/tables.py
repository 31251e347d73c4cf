"""HTML tables as rows of cells."""

from __future__ import annotations

from html.parser import HTMLParser

Table = tuple[tuple[str, ...], ...]

_MOST_SPAN = 200
"""A wrong digit in a `rowspan` must not fill the memory."""


def tables(answer: str) -> tuple[Table, ...]:
    """Every table of `answer`, also one without its end tag; nested ones count as text of their cell.

    Each row has as many cells as the widest; a cell that spans several stands in each of them.
    """
    reader = _TableReader()
    reader.feed(answer)
    reader.close()
    reader.finish()
    return tuple(reader.tables)


class _TableReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Table] = []
        self._depth = 0
        self._grid: dict[tuple[int, int], str] = {}
        self._row = -1
        self._column = 0
        self._cell: list[str] | None = None
        self._spans = (1, 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
        if self._depth != 1:
            return
        if tag == "tr":
            self._end_cell()
            self._row, self._column = self._row + 1, 0
        elif tag in ("td", "th"):
            self._end_cell()
            self._row = max(self._row, 0)
            given = dict(attrs)
            self._spans = _span(given.get("rowspan")), _span(given.get("colspan"))
            self._cell = []
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._depth == 1 and tag in ("td", "th", "tr"):
            self._end_cell()
        if tag == "table" and self._depth:
            self._depth -= 1
            if not self._depth:
                self.finish()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def finish(self) -> None:
        """Close the table at work, if there is one."""
        self._end_cell()
        if self._grid:
            rows, columns = (max(place[axis] for place in self._grid) + 1 for axis in (0, 1))
            self.tables.append(
                tuple(tuple(self._grid.get((row, column), "") for column in range(columns)) for row in range(rows))
            )
        self._grid, self._row, self._depth = {}, -1, 0

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        text, self._cell = "".join(self._cell).strip(), None
        while (self._row, self._column) in self._grid:
            self._column += 1
        for down in range(self._spans[0]):
            for right in range(self._spans[1]):
                self._grid.setdefault((self._row + down, self._column + right), text)


def _span(given: str | None) -> int:
    return max(1, min(_MOST_SPAN, int(given))) if given and given.isdecimal() else 1
