"""Edits of a page: kept in order, taken back exactly, and never two stories in one page."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.fields.forms import Form, built_in
from runtime.fields.machine_readable import check_digit
from runtime.fields.reading import read_fields, with_values
from runtime.gateway.recognition import Recognised
from runtime.kiosk.edits import Edits
from runtime.problems import BAD_REQUEST, Problem
from runtime.tasks.tables import table_cells, tables
from tests.unit.kiosk.stub_reader import page_result

_GOOD, _BAD = "11010519491231002X", "110105194912310021"
_TABLE = (
    'Before $a<b$\n<table><tr><th colspan="2">A &amp; B</th><th>C'
    '<tr><td rowspan="2">d</td><td> e </td><td>f<br>g</td></tr>'
    "\n<tr><td>h</td><td></td></tr></table>\n\n$x<y$ after\n<table><tr><td>one</td></tr>"
)


def card() -> Recognised:
    """An identity card with a wrong check digit."""
    words = ("姓名 张三", "性别 男 民族 汉", "出生 1949年12月31日", "住址 北京市朝阳区", f"公民身份号码 {_BAD}")
    page = page_result(words)
    form = next(form for form in built_in() if form.name == "identity-card")
    return Recognised(page, read_fields(page, form), form)


def document() -> Recognised:
    page = page_result(()).model_copy(update={"text": _TABLE, "tables": tables(_TABLE)})
    return Recognised(page)


def state_of(recognised: Recognised, key: str) -> str:
    assert recognised.fields is not None
    (field,) = (field for field in recognised.fields.fields if field.key == key)
    return field.checks[0].state


def agreements(recognised: Recognised) -> dict[str, str]:
    assert recognised.fields is not None
    return {verdict.check: verdict.state for verdict in recognised.fields.agreements}


def test_a_page_without_edits_is_the_page_that_was_read() -> None:
    page = card()
    assert Edits().edited(page) is page
    assert not Edits()


def test_a_corrected_field_is_checked_again_and_its_line_follows() -> None:
    page, edits = card(), Edits()
    assert state_of(page, "公民身份号码") == "fail"
    edit = edits.apply(page, "field:公民身份号码", f" {_GOOD} ")
    assert edit is not None and (edit.before, edit.after) == (_BAD, _GOOD)
    after = edits.edited(page)
    assert state_of(after, "公民身份号码") == "pass"
    assert after.page.lines[4].text == f"公民身份号码 {_GOOD}"
    assert after.page.text.endswith(_GOOD)
    assert page.page.text.endswith(_BAD)


def test_a_field_of_two_lines_stands_as_it_is_typed_and_leaves_the_lines_alone() -> None:
    page, edits = card(), Edits()
    edits.apply(page, "field:住址", "北京市朝阳区\r\n幸福路 1 号")
    after = edits.edited(page)
    assert after.fields is not None and after.fields.flat()["住址"] == "北京市朝阳区\n幸福路 1 号"
    assert after.page.lines == page.page.lines


def test_a_corrected_line_corrects_the_field_that_stands_in_it() -> None:
    page, edits = card(), Edits()
    edits.apply(page, "line:4", f"公民身份号码 {_GOOD}")
    after = edits.edited(page)
    assert after.fields is not None and after.fields.flat()["公民身份号码"] == _GOOD
    assert state_of(after, "公民身份号码") == "pass"


def test_a_line_rewritten_around_its_field_leaves_the_field_alone() -> None:
    page, edits = card(), Edits()
    edits.apply(page, "line:4", f"身份证号 {_GOOD}")
    after = edits.edited(page)
    assert after.fields is not None and after.fields.flat()["公民身份号码"] == _BAD


def test_what_fields_say_of_each_other_is_asked_again() -> None:
    page, edits = card(), Edits()
    edits.apply(page, "field:公民身份号码", _GOOD)
    assert agreements(edits.edited(page)) == {"birth-in-number": "pass", "sex-in-number": "fail"}
    edits.apply(page, "field:性别", "女")
    assert agreements(edits.edited(page)) == {"birth-in-number": "pass", "sex-in-number": "pass"}
    assert edits.edited(page).page.lines[1].text == "性别 女 民族 汉"


def test_a_field_that_is_emptied_is_missing_and_can_be_filled_in_again() -> None:
    page, edits = card(), Edits()
    edits.apply(page, "field:民族", "")
    emptied = edits.edited(page).fields
    assert emptied is not None and "民族" in emptied.missing and "民族" not in emptied.flat()
    assert edits.edited(page).page.lines[1].text == "性别 男 民族 汉"
    edits.apply(page, "field:民族", "回")
    filled = edits.edited(page).fields
    assert filled is not None and filled.missing == () and filled.flat()["民族"] == "回"


def test_a_field_that_was_not_found_is_checked_once_it_is_typed() -> None:
    page = page_result(("姓名 张三", "性别 男 民族 汉", "出生 1949年12月31日", "住址 北京市朝阳区", "公民身份号码"))
    form = next(form for form in built_in() if form.name == "identity-card")
    read = Recognised(page, read_fields(page, form))  # no form: found by its name
    edits = Edits()
    assert read.fields is not None and read.fields.missing == ("公民身份号码",)
    edits.apply(read, "field:公民身份号码", _BAD)
    assert state_of(edits.edited(read), "公民身份号码") == "fail"


def test_a_passport_number_is_compared_with_the_zone_as_it_now_stands() -> None:
    number, birth, expiry = "E12345678", "800101", "300101"
    composite = f"{number}{check_digit(number)}{birth}{check_digit(birth)}{expiry}{check_digit(expiry)}{'<' * 14}<"
    line = f"{composite[:10]}CHN{birth}{check_digit(birth)}M{expiry}{check_digit(expiry)}{'<' * 14}<"
    line = line[:43] + check_digit(composite)
    wrong = line.replace("E12345678", "E12345673")
    form = next(form for form in built_in() if form.reader == "zone")
    page = page_result(("P<CHNZHANG<<SAN" + "<" * 29, wrong))
    read, edits = Recognised(page, read_fields(page, form), form), Edits()
    assert state_of(read, "护照号码") == "fail"
    edits.apply(read, "field:护照号码", number)
    assert state_of(edits.edited(read), "护照号码") == "pass"
    edits.apply(read, "field:性别", "F")
    assert state_of(edits.edited(read), "性别") == "unchecked"


def test_an_operators_own_form_is_checked_by_its_own_rules() -> None:
    form = Form.model_validate(
        {"name": "ticket", "signs": ("TICKET",), "fields": ({"key": "No", "checks": ("identity-number",)},)}
    )
    page = page_result(("TICKET", f"No: {_BAD}"))
    read, edits = Recognised(page, read_fields(page, form), form), Edits()
    edits.apply(read, "field:No", _GOOD)
    assert state_of(edits.edited(read), "No") == "pass"


def test_fields_that_an_engine_gave_without_places_change_in_its_text_as_well() -> None:
    page = page_result(()).model_copy(update={"fields": {"No": "1", "Name": "a"}, "text": "No: 1\nName: a"})
    form = Form.model_validate({"name": "keys", "fields": ({"key": "No"}, {"key": "Name"})})
    read, edits = Recognised(page, with_values(page, form, page.fields or {}), form), Edits()
    edits.apply(read, "field:No", "7")
    after = edits.edited(read)
    assert after.page.fields == {"No": "7", "Name": "a"}
    assert after.page.text == "No: 7\nName: a"


def test_a_cell_is_changed_in_its_table_and_nothing_else_is_touched() -> None:
    page, edits = document(), Edits()
    edits.apply(page, "cell:0:1:2", "1 < 2 & 3\nnext")
    after = edits.edited(page).page
    assert after.tables[0][1] == ("d", "e", "1 < 2 & 3\nnext")
    assert after.text == _TABLE.replace("f<br>g", "1 &lt; 2 &amp; 3<br>next")
    assert after.tables == tables(after.text)


def test_a_cell_that_spans_several_changes_in_each_of_them() -> None:
    page, edits = document(), Edits()
    edits.apply(page, "cell:0:2:0", "D")
    after = edits.edited(page).page
    assert [row[0] for row in after.tables[0]] == ["A & B", "D", "D"]
    assert 'rowspan="2">D</td>' in after.text


def test_a_cell_beside_a_text_that_does_not_hold_it_changes_alone() -> None:
    page = Recognised(page_result(()).model_copy(update={"text": "plain", "tables": ((("a", "b"),),)}))
    edits = Edits()
    edits.apply(page, "cell:0:0:1", "B")
    after = edits.edited(page).page
    assert (after.text, after.tables) == ("plain", ((("a", "B"),),))


def test_a_rewritten_text_brings_its_tables_with_it() -> None:
    page, edits = document(), Edits()
    edits.apply(page, "cell:1:0:0", "two")
    edits.apply(page, "text", "<table><tr><td>1</td><td>2</td></tr></table>")
    edits.apply(page, "cell:0:0:1", "II")
    assert edits.edited(page).page.tables == ((("1", "II"),),)
    edits.undo()
    edits.undo()
    assert edits.edited(page).page.tables[1] == (("two",),)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("line:5", "x"),
        ("line:-1", "x"),
        ("line:x", "x"),
        ("line:0", "two\nlines"),
        ("line:0", "x" * 5000),
        ("line:0", "bell\x07"),
        ("line:0", "half \ud800"),
        ("field:nobody", "x"),
        ("field:", "x"),
        ("cell:0:0:0", "x"),
        ("cell:0", "x"),
        ("text", "a page with lines has no text of its own"),
        ("", ""),
        ("page", ""),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_and_changes_nothing(target: str, text: str) -> None:
    page, edits = card(), Edits()
    edits.apply(page, "line:0", "姓名 李四")
    edits.undo()
    with pytest.raises(Problem) as caught:
        edits.apply(page, target, text)
    assert caught.value.kind is BAD_REQUEST
    assert edits.log == () and edits.redoable == 1
    assert edits.edited(page) is page


@pytest.mark.parametrize("target", ["cell:0:3:0", "cell:0:0:3", "cell:2:0:0", "line:0"])
def test_a_document_has_only_its_own_cells(target: str) -> None:
    with pytest.raises(Problem):
        Edits().apply(document(), target, "x")


def test_nothing_is_noted_where_nothing_changes_and_something_new_ends_redo() -> None:
    page, edits = card(), Edits()
    assert edits.apply(page, "line:0", page.page.lines[0].text) is None
    assert edits.undo() is None and edits.redo() is None
    edits.apply(page, "line:0", "a")
    edits.apply(page, "line:0", "b")
    edits.undo()
    assert edits.redoable == 1
    edits.apply(page, "line:1", "c")
    assert edits.redoable == 0
    assert [(edit.target, edit.before, edit.after) for edit in edits.log] == [
        ("line:0", "姓名 张三", "a"),
        ("line:1", "性别 男 民族 汉", "c"),
    ]


_WORDS = st.text(st.sampled_from("ab1 一<&>\"'|$/"), max_size=8)
_CARD_TARGETS = st.sampled_from(
    [*(f"line:{n}" for n in range(5)), "field:姓名", "field:性别", "field:民族", "field:住址", "field:公民身份号码"]
)
_DOCUMENT_TARGETS = st.sampled_from([*(f"cell:0:{r}:{c}" for r in range(3) for c in range(3)), "cell:1:0:0"])
_MOVES = st.sampled_from(["undo", "redo"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.tuples(_CARD_TARGETS, _WORDS), _MOVES), max_size=14))
def test_undo_and_redo_go_exactly_back_and_forth_on_a_form(moves: list[tuple[str, str] | str]) -> None:
    _walk(card(), moves)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(st.tuples(_DOCUMENT_TARGETS, st.text(st.sampled_from("ab \n<&>\"'/td"), max_size=9)), _MOVES),
        max_size=14,
    )
)
def test_undo_and_redo_go_exactly_back_and_forth_in_tables(moves: list[tuple[str, str] | str]) -> None:
    _walk(document(), moves)


def _walk(page: Recognised, moves: list[tuple[str, str] | str]) -> None:
    """After every move the page is what it was when the same edits held before."""
    edits = Edits()
    past: list[Recognised] = [page]
    future: list[Recognised] = []
    for move in moves:
        if move == "undo":
            if edits.undo() is not None:
                future.append(past.pop())
        elif move == "redo":
            if edits.redo() is not None:
                past.append(future.pop())
        elif edits.apply(page, move[0], move[1]) is not None:
            past.append(edits.edited(page))
            future.clear()
        assert edits.edited(page) == past[-1]
        assert len(edits.log) == len(past) - 1
        assert edits.redoable == len(future)
    now = edits.edited(page).page
    if page.page.tables:
        assert tables(now.text) == now.tables
        assert [(c.row, c.column, c.rows, c.columns) for t in table_cells(now.text) for c in t] == [
            (c.row, c.column, c.rows, c.columns) for t in table_cells(page.page.text) for c in t
        ]
    while edits.undo() is not None:
        pass
    assert edits.edited(page) is page


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab一 "), min_size=1, max_size=4), min_size=1, max_size=8), st.data())
def test_edited_lines_are_in_the_text_in_the_place_of_what_was_read(words: list[str], data: st.DataObject) -> None:
    page, edits = Recognised(page_result(tuple(words))), Edits()
    number = data.draw(st.integers(0, len(words) - 1))
    edits.apply(page, f"line:{number}", "corrected")
    after = edits.edited(page).page
    assert after.text == "\n".join(line.text for line in after.lines)
    assert [line.box for line in after.lines] == [line.box for line in page.page.lines]
