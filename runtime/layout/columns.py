"""Columns by recursive cutting: gutters first, then the bands that a title across them makes.

A cut is made where white runs through a region. Unlike the plain XY-cut, which would read two
columns paragraph by paragraph when their paragraphs end at one height, a gutter comes first, and
bands that share one stay together. Only running text makes columns: the white between a form's
names and values, or a table's cells, parts cells of one row. So a table below columns, or between
them, is read by itself, though its cells may leave the columns' gutter white.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from statistics import median

from runtime.layout.geometry import around
from runtime.layout.rows import Row

Column = list[Row]

_GUTTER = -0.7
"""Narrowest gutter, in line heights. Below zero, since a detected line may reach into the next
column by a letter, and a page curling into its binding slants its gutters; that running text
stands side by side on both sides of it is the evidence."""
_RUNNING_ROWS = 3
_RUNNING_WIDTH = 6.0
"""Running text: at least this many rows, at least this many line heights wide in the median."""
_TABLE_ROWS = 2
_SET_OFF = 1.0
"""White above and below a table, in line heights, where the page does not end there."""
_PATIENCE = 12
"""Bands to look ahead for running text: keeps long tables from costing the square of their rows."""
_TITLE_TYPE = 1.1
"""Type larger than the body's by this much is a heading's."""


def columns_of(rows: Sequence[Row]) -> list[Column]:
    """Rows grouped into columns, both in reading order; every row is in exactly one column."""
    if not rows:
        return []
    bands = _bands(rows)
    tables = _in_tables(bands)
    parts = None if tables else _parted_by_gutter(rows)
    if parts is not None:
        return columns_of(parts[0]) + columns_of(parts[1])
    groups = _groups_sharing_a_gutter(bands, tables)
    if len(groups) == 1:
        return [_reading(rows)]
    return _read_groups(groups)


def _parted_by_gutter(rows: Sequence[Row]) -> tuple[list[Row], list[Row]] | None:
    """Left and right of the widest white strip with running text on both sides, or None."""
    height = median(row.box.height for row in rows)
    by_left = sorted(rows, key=lambda row: row.box.left)
    best: tuple[float, int] | None = None
    reach = by_left[0].box.right
    for index, row in enumerate(by_left[1:], start=1):
        width = row.box.left - reach
        if (
            width >= _GUTTER * height
            and (best is None or width > best[0])
            and _are_columns(by_left[:index], by_left[index:])
        ):
            best = width, index
        reach = max(reach, row.box.right)
    return None if best is None else (by_left[: best[1]], by_left[best[1] :])


def _are_columns(left: Sequence[Row], right: Sequence[Row]) -> bool:
    """True of running text that stands side by side, not one above the other."""
    if min(len(left), len(right)) < _RUNNING_ROWS:
        return False
    return _is_running_text(_level_with(left, right)) and _is_running_text(_level_with(right, left))


def _level_with(rows: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    span = around(row.box for row in others)
    return [row for row in rows if span.top <= row.box.middle <= span.bottom]


def _is_running_text(rows: Sequence[Row]) -> bool:
    return (
        len(rows) >= _RUNNING_ROWS
        and median(row.box.width / max(1.0, row.box.height) for row in rows) >= _RUNNING_WIDTH
    )


def _bands(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows cut wherever no row's middle half is: top to bottom. Middle halves, since boxes touch."""
    bands: list[list[Row]] = []
    reach = float("-inf")
    for row in sorted(rows, key=lambda each: each.box.top):
        quarter = row.box.height / 4
        if row.box.top + quarter >= reach:
            bands.append([])
        bands[-1].append(row)
        reach = max(reach, row.box.bottom - quarter)
    return bands


def _in_tables(bands: list[list[Row]]) -> frozenset[int]:
    """Indices of the bands that are a table's rows: short pieces side by side, set off by white.

    The white tells a table from the ends of columns of short lines.
    """
    found: set[int] = set()
    for is_table, run in groupby(range(len(bands)), key=lambda index: _are_cells(bands[index])):
        indices = list(run)
        if is_table and len(indices) >= _TABLE_ROWS and _is_set_off(bands, indices[0], indices[-1]):
            found.update(indices)
    return frozenset(found)


def _are_cells(band: Sequence[Row]) -> bool:
    short = all(row.box.width < _RUNNING_WIDTH * row.box.height for row in band)
    return len(band) > 1 and short and all(beside(one, other) for one, other in pairwise(band))


def _is_set_off(bands: list[list[Row]], first: int, last: int) -> bool:
    def white(above: int) -> bool:
        upper, lower = (around(row.box for row in bands[index]) for index in (above, above + 1))
        return lower.top - upper.bottom >= _SET_OFF * median(row.box.height for row in bands[first])

    return (first == 0 or white(first - 1)) and (last == len(bands) - 1 or white(last))


def _groups_sharing_a_gutter(bands: list[list[Row]], tables: frozenset[int]) -> list[list[Row]]:
    """Bands that go on together: a run under one gutter, or a run with none."""
    groups: list[list[Row]] = []
    start = 0
    while start < len(bands):
        end = _longest_run_with_gutter(bands, start, tables)
        if end is None:
            end = start + 1
            while end < len(bands) and _longest_run_with_gutter(bands, end, tables) is None:
                end += 1
        groups.append([row for band in bands[start:end] for row in band])
        start = end
    return groups


def _longest_run_with_gutter(bands: list[list[Row]], start: int, tables: frozenset[int]) -> int | None:
    """Where the longest run of bands from `start` with a common gutter ends, or None if none begins here.

    A run begins with a band that has text on both sides, or its first rows would be taken from
    the text before it. It ends before a table.
    """
    if len(bands[start]) < 2:
        return None
    run: list[Row] = []
    end = None
    for index in range(start, len(bands)):
        if index in tables:
            break
        run.extend(bands[index])
        parts = _parted_by_gutter(run)
        if parts is not None and _parts_band(parts, bands[start]):
            end = index + 1
        elif end is not None or index - start >= _PATIENCE:
            break
    return end


def _parts_band(parts: tuple[list[Row], list[Row]], band: list[Row]) -> bool:
    return all(any(row in band for row in part) for part in parts)


def _read_groups(groups: list[list[Row]]) -> list[Column]:
    columns: list[Column] = []
    carried: list[Row] = []
    for index, group in enumerate(groups):
        below = groups[index + 1] if index + 1 < len(groups) else []
        parts = columns_of(group)
        if carried:
            parts[0] = carried + parts[0]
            carried = []
        if below and len(parts) > 1:
            for column in parts:
                carried += _taken_by_title(column, below)
        columns += [column for column in parts if column]
    return columns


def _taken_by_title(column: Column, below: Sequence[Row]) -> list[Row]:
    """Take from the column's foot, and return, what belongs to the title below: a standfirst.

    It is set larger than the column and stands nearer to the title than to the column's text.
    """
    body = median(row.box.height for row in column)
    title_top = around(row.box for row in below).top
    first = len(column) - 1
    while first > 0 and column[first].box.top - column[first - 1].box.bottom < body:
        first -= 1
    foot = column[first:]
    if first == 0 or median(row.box.height for row in foot) < _TITLE_TYPE * body:
        return []
    if foot[0].box.top - column[first - 1].box.bottom <= 2 * (title_top - foot[-1].box.bottom):
        return []
    del column[first:]
    return foot


def _reading(rows: Sequence[Row]) -> Column:
    """One column: top to bottom, and what stands side by side left to right."""
    column: Column = []
    line: list[Row] = []
    for row in sorted(rows, key=lambda each: each.box.middle):
        if line and not beside(line[0], row):
            column += sorted(line, key=lambda each: each.box.left)
            line = []
        line.append(row)
    return column + sorted(line, key=lambda each: each.box.left)


def beside(one: Row, other: Row) -> bool:
    """True if two rows stand in one line of print: each one's middle lies within the other."""
    return one.box.top <= other.box.middle <= one.box.bottom and other.box.top <= one.box.middle <= other.box.bottom
