"""Tables become rows of cells, spans filled in."""

from __future__ import annotations

from runtime.tasks.tables import table_cells, tables


def test_rows_and_cells_are_read() -> None:
    assert tables("<table><tr><th>a</th><td>b &amp; c</td></tr><tr><td>1<br>2</td><td></td></tr></table>") == (
        (("a", "b & c"), ("1\n2", "")),
    )


def test_a_cell_that_spans_stands_in_each_place() -> None:
    html = '<table><tr><td rowspan="2">a</td><td colspan="2">b</td></tr><tr><td>c</td><td>d</td></tr></table>'
    assert tables(html) == ((("a", "b", "b"), ("a", "c", "d")),)


def test_every_table_of_a_document_is_found_also_one_cut_short() -> None:
    text = "# T\n<table><tr><td>1</td></tr></table>\nwords\n<table><tr><td>2</td><td>3"
    assert tables(text) == ((("1",),), (("2", "3"),))


def test_text_without_a_table_has_none() -> None:
    assert tables("a < b, <b>bold</b>") == ()


def test_a_senseless_span_does_not_fill_the_memory() -> None:
    (table,) = tables('<table><tr><td rowspan="99999999" colspan="99999999">a</td></tr></table>')
    assert len(table) <= 200 and len(table[0]) <= 200


def test_a_formula_beside_a_table_is_no_tag() -> None:
    """`<b` would begin a tag that swallows the table's."""
    answer = "$a<b$\n<table><tr><td>1</td></tr></table>\n$x<y$\n<TABLE border='1'><tr><td>2</td></tr></TABLE >"
    assert tables(answer) == ((("1",),), (("2",),))


def test_cells_tell_where_they_are_written() -> None:
    answer = "text\n<table><tr><td colspan=2> a </td><td>b\n<tr><td>c</table>"
    ((first, second, third),) = table_cells(answer)
    assert [answer[cell.start : cell.end] for cell in (first, second, third)] == [" a ", "b\n", "c"]
    assert (first.columns, second.column, third.row) == (2, 2, 1)
    assert first.covers(0, 1) and not first.covers(1, 0)
