"""Tables become rows of cells, spans filled in."""

from __future__ import annotations

from runtime.tasks.tables import tables


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
