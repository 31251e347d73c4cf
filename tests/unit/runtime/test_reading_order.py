"""Boxes come out as a person would read them."""

from __future__ import annotations

import math
import random

from runtime.layout.geometry import Fragment
from runtime.layout.reading_order import arrange
from runtime.results import Quad


def at(text: str, left: float, top: float, width: float, height: float = 20) -> Fragment:
    right, bottom = left + width, top + height
    return Fragment(text, ((left, top), (right, top), (right, bottom), (left, bottom)), 0.9)


def column(name: str, left: float, top: float, rows: int, width: float = 300) -> list[Fragment]:
    return [at(f"{name}{row}", left, top + 30 * row, width) for row in range(rows)]


def shuffled(fragments: list[Fragment]) -> list[Fragment]:
    mixed = list(fragments)
    random.Random(3).shuffle(mixed)
    return mixed


def read(fragments: list[Fragment]) -> list[str]:
    return [line.text for line in arrange(shuffled(fragments)).lines]


def names(name: str, rows: int) -> list[str]:
    return [f"{name}{row}" for row in range(rows)]


def skewed(fragments: list[Fragment], degrees: float) -> list[Fragment]:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def turn(quad: Quad) -> Quad:
        a, b, c, d = ((x * cosine - y * sine, x * sine + y * cosine) for x, y in quad)
        return a, b, c, d

    return [Fragment(each.text, turn(each.quad), each.score) for each in fragments]


def test_nothing_is_nothing() -> None:
    assert arrange([]).text == "" and arrange([]).lines == ()


def test_empty_pieces_are_left_out() -> None:
    assert read([at(" ", 0, 0, 50), at("a", 0, 40, 50)]) == ["a"]


def test_two_columns_are_read_one_after_the_other() -> None:
    page = arrange(shuffled(column("l", 0, 0, 6) + column("r", 320, 0, 6)))
    assert [line.text for line in page.lines] == names("l", 6) + names("r", 6)
    assert {line.column for line in page.lines} == {0, 1}
    assert "l5\n\nr0" in page.text


def test_four_columns_are_read_left_to_right() -> None:
    pages = [fragment for index, name in enumerate("abcd") for fragment in column(name, 330 * index, 0, 5)]
    assert read(pages) == names("a", 5) + names("b", 5) + names("c", 5) + names("d", 5)


def test_paragraphs_that_end_level_do_not_mix_the_columns() -> None:
    left = column("l", 0, 0, 4) + column("m", 0, 160, 4)
    right = column("r", 320, 0, 4) + column("s", 320, 160, 4)
    assert read(left + right) == names("l", 4) + names("m", 4) + names("r", 4) + names("s", 4)


def test_a_title_over_both_columns_comes_first() -> None:
    page = [at("TITLE", 60, 0, 500, 40), *column("l", 0, 60, 5), *column("r", 320, 60, 5)]
    assert read(page) == ["TITLE", *names("l", 5), *names("r", 5)]


def test_a_title_between_two_pairs_of_columns_parts_them() -> None:
    upper = column("l", 0, 0, 4) + column("r", 320, 0, 4)
    lower = column("m", 0, 200, 4) + column("s", 320, 200, 4)
    page = read([*upper, at("TITLE", 60, 140, 500, 40), *lower])
    assert page == names("l", 4) + names("r", 4) + ["TITLE"] + names("m", 4) + names("s", 4)


def test_a_title_found_in_two_pieces_over_the_gutter_is_one_line() -> None:
    title = [at("What", 40, 0, 250, 60), at("Kids", 330, 0, 200, 60)]
    assert read([*title, *column("l", 0, 80, 5), *column("r", 320, 80, 5)])[0] == "What Kids"


def test_a_standfirst_at_a_columns_foot_goes_with_the_title_below_it() -> None:
    page = column("l", 0, 0, 6) + column("r", 320, 0, 10)
    page += [at("stand", 0, 270, 200, 26), at("TITLE", 60, 310, 500, 50)]
    assert read(page) == [*names("l", 6), *names("r", 10), "stand", "TITLE"]


def test_a_skewed_page_is_read_the_same() -> None:
    page = column("l", 0, 0, 12) + column("r", 330, 0, 12)
    for degrees in (-3, -1, 1, 3):
        assert read(skewed(page, degrees)) == names("l", 12) + names("r", 12)


def test_words_of_one_line_are_joined_by_a_space() -> None:
    page = arrange([at("lazy", 100, 2, 80), at("the", 30, 0, 60), *column("below", 0, 40, 2)])
    assert page.text.splitlines()[0] == "the lazy"


def test_chinese_pieces_of_one_line_are_joined_without() -> None:
    assert arrange([at("符合", 66, 0, 60), at("强力", 0, 0, 60)]).text == "强力符合"


def test_a_forms_values_stay_beside_their_names() -> None:
    form = []
    printed = (("姓名", "林晓雯"), ("性别", "女"), ("住址", "江州市青石路"), ("号码", "42"))
    for row, (name, value) in enumerate(printed):
        form += [at(name, 0, 50 * row, 50), at(value, 200, 50 * row, 30 * len(value))]
    assert arrange(shuffled(form)).text.split() == [word for pair in printed for word in pair]


def test_a_tables_rows_are_read_across() -> None:
    cells = [at(f"{row}{place}", place * 150, row * 40, 40) for row in range(8) for place in range(4)]
    assert read(cells) == [f"{row}{place}" for row in range(8) for place in range(4)]


def table(name: str, top: float) -> list[Fragment]:
    """Three rows of four short cells, which leave the white between two columns at 300..320 white too."""
    return [at(f"{name}{row}{place}", left, top + row * 40, 60)
            for row in range(3) for place, left in enumerate((0, 150, 330, 480))]  # fmt: skip


def cells(name: str) -> list[str]:
    return [f"{name}{row}{place}" for row in range(3) for place in range(4)]


def test_a_table_below_above_or_between_columns_is_read_by_its_rows() -> None:
    upper, lower = column("l", 0, 0, 5) + column("r", 320, 0, 5), column("m", 0, 340, 5) + column("s", 320, 340, 5)
    above, below = names("l", 5) + names("r", 5), names("m", 5) + names("s", 5)
    assert read(upper + table("t", 190)) == above + cells("t")
    assert read(table("t", 190) + lower) == cells("t") + below
    assert read(upper + table("t", 190) + lower) == above + cells("t") + below
    title = [at("TITLE", 60, -80, 500, 40)]
    assert read(title + upper + table("t", 190)) == ["TITLE", *above, *cells("t")]


def test_short_lines_that_go_on_below_columns_are_theirs() -> None:
    columns = column("l", 0, 0, 6) + column("r", 320, 0, 6)
    columns += [at(f"{name}{row}", left, 30 * row, 80) for name, left in (("l", 0), ("r", 320)) for row in (6, 7, 8)]
    assert read(columns) == names("l", 9) + names("r", 9)


def test_a_wide_gap_starts_a_new_block() -> None:
    assert arrange(column("a", 0, 0, 3) + column("b", 0, 130, 3)).text == "a0\na1\na2\n\nb0\nb1\nb2"


def test_a_joined_lines_box_holds_its_pieces() -> None:
    line = arrange([at("a", 0, 0, 50), at("b", 60, 0, 50)]).lines[0]
    assert line.box == ((0, 0), (110, 0), (110, 20), (0, 20))


def test_a_long_receipt_is_arranged_quickly() -> None:
    import time

    receipt = [at(f"{row}", place * 400, row * 30, 60) for row in range(300) for place in range(2)]
    started = time.perf_counter()
    assert len(arrange(receipt).lines) == 600
    assert time.perf_counter() - started < 5


def test_pieces_of_a_line_that_runs_left_are_joined_from_its_right() -> None:
    (line,) = arrange(shuffled([at("שלום", 300, 0, 60), at("לכל", 232, 0, 60), at("העולם", 164, 0, 60)])).lines
    assert line.text == "שלום לכל העולם"


def test_columns_of_a_page_that_runs_left_are_read_from_its_right() -> None:
    page = column("ימין", 320, 0, 6) + column("שמאל", 0, 0, 6)
    assert read(page) == names("ימין", 6) + names("שמאל", 6)


def test_cells_of_a_row_that_runs_left_are_read_from_its_right() -> None:
    rows = [(at("שם", 420, 40 * row, 40), at("ערך", 100, 40 * row, 60)) for row in range(3)]
    assert read([cell for row in rows for cell in row]) == ["שם", "ערך"] * 3


def test_a_line_that_runs_left_does_not_turn_a_page_that_runs_right() -> None:
    page = column("l", 0, 0, 6) + column("r", 320, 0, 6) + [at("שלום לכל", 320, 200, 300)]
    assert read(page)[:6] == names("l", 6)


def test_each_line_says_by_what_it_was_read() -> None:
    pieces = [
        Fragment("Seoul", at("", 0, 0, 60).quad, 0.9, "PP-OCRv6"),
        Fragment("서울", at("", 68, 0, 60).quad, 0.9, "tesseract kor"),
    ]
    assert [line.reader for line in arrange(pieces).lines] == ["PP-OCRv6+tesseract kor"]
