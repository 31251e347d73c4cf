"""Values found beside, below and without labels; forms as data."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runtime.fields.extract import extract
from runtime.fields.forms import FieldRule, Form, built_in, of_keys, with_own
from runtime.fields.reading import choose, read_fields, read_keys, with_changes, with_values
from runtime.layout.spacing import is_wide
from runtime.results import EngineInfo, Line, PageResult, Quad

HEIGHT = 30


def line(x: float, y: float, text: str) -> Line:
    """A line of type 30 pixels high, a wide sign 30 pixels wide and a narrow one 15."""
    width = sum(HEIGHT if is_wide(sign) else HEIGHT / 2 for sign in text)
    box: Quad = ((x, y), (x + width, y), (x + width, y + HEIGHT), (x, y + HEIGHT))
    return Line(text=text, box=box, score=0.9)


def page(*lines: Line) -> PageResult:
    text = "\n".join(each.text for each in lines)
    info = EngineInfo(name="stub", version="1")
    return PageResult(text=text, lines=lines, width=1000, height=500, rotation=0, engine=info, elapsed_s=0)


def form(*rules: FieldRule, words: tuple[str, ...] = ()) -> Form:
    return Form(name="test", fields=rules, words=words)


def values(chosen: Form, *lines: Line) -> dict[str, str]:
    return {key: found.value for key, found in extract(lines, chosen).items()}


NAME, SEX, PLACE = FieldRule(key="姓名"), FieldRule(key="性别"), FieldRule(key="住址", lines=3)


def test_a_value_stands_in_the_labels_own_line() -> None:
    assert values(form(NAME), line(0, 0, "姓名 张三")) == {"姓名": "张三"}
    assert values(form(NAME), line(0, 0, "姓名：张三")) == {"姓名": "张三"}
    assert values(form(NAME), line(0, 0, "姓  名张三")) == {"姓名": "张三"}


def test_a_value_stands_to_the_right() -> None:
    assert values(form(NAME), line(0, 0, "姓名"), line(300, 6, "张三")) == {"姓名": "张三"}


def test_a_value_stands_below() -> None:
    assert values(form(NAME), line(100, 0, "姓名"), line(95, 50, "张三"), line(400, 50, "别的")) == {"姓名": "张三"}


def test_another_label_ends_a_value() -> None:
    assert values(form(NAME, SEX), line(0, 0, "姓名张三性别女")) == {"姓名": "张三", "性别": "女"}
    assert values(form(NAME, SEX), line(0, 0, "姓名"), line(200, 0, "性别"), line(300, 0, "女")) == {"性别": "女"}


def test_a_label_of_latin_letters_is_a_whole_word() -> None:
    total = FieldRule(key="Total", pattern=r"\d+\.\d{2}")
    lines = (line(0, 0, "Subtotal"), line(300, 0, "10.00"), line(0, 60, "Total"), line(300, 60, "12.00"))
    assert values(form(total), *lines) == {"Total": "12.00"}


def test_a_value_goes_on_over_lines_but_not_into_the_next_label() -> None:
    lines = (line(0, 0, "住址"), line(100, 0, "江州市南湖区"), line(100, 40, "青石路28号"), line(0, 80, "姓名 张三"))
    assert values(form(NAME, PLACE), *lines) == {"住址": "江州市南湖区青石路28号", "姓名": "张三"}


def test_a_stamps_rim_is_no_second_line() -> None:
    assert values(form(PLACE), line(0, 0, "住址"), line(100, 0, "江州市"), line(100, 40, "1111")) == {"住址": "江州市"}


def test_equal_labels_are_told_apart_by_their_order() -> None:
    payer, payee = FieldRule(key="付", labels=("户名",)), FieldRule(key="收", labels=("户名",), nth=2)
    lines = (line(0, 0, "户名"), line(100, 4, "甲公司"), line(500, 8, "户名"), line(600, 12, "乙公司"))
    assert values(form(payer, payee), *lines) == {"付": "甲公司", "收": "乙公司"}


def test_values_of_one_row_are_told_apart_by_their_place() -> None:
    net = FieldRule(key="金额", labels=("合计",), pattern=r"\d+\.\d{2}")
    tax = FieldRule(key="税额", labels=("合计",), pattern=r"\d+\.\d{2}", place=2)
    lines = (line(0, 0, "合计"), line(300, 0, "¥100.00"), line(600, 0, "¥13.00"))
    assert values(form(net, tax), *lines) == {"金额": "100.00", "税额": "13.00"}


def test_a_pattern_refuses_what_does_not_look_like_the_value() -> None:
    number = FieldRule(key="账号", pattern=r"\d{8,}")
    assert values(form(number), line(0, 0, "账号"), line(200, 0, "不详")) == {}
    assert values(form(number), line(0, 0, "账号"), line(20, 50, "12345678")) == {"账号": "12345678"}


def test_one_misread_sign_in_a_long_label_is_forgiven_but_no_other_label_taken() -> None:
    code, number = FieldRule(key="发票代码", pattern=r"\d+"), FieldRule(key="发票号码", pattern=r"\d+")
    assert values(form(code, number), line(0, 0, "发票号码：12345678")) == {"发票号码": "12345678"}
    assert values(form(FieldRule(key="公民身份号码")), line(0, 0, "公民身份号玛 123")) == {"公民身份号码": "123"}


def test_skew_does_not_part_a_value_from_its_label() -> None:
    def askew(each: Line) -> Line:
        box: Quad = tuple((x, y + 0.05 * x) for x, y in each.box)  # type: ignore[assignment]
        return each.model_copy(update={"box": box})

    rows = [
        (line(0, top, label), line(600, top, value))
        for top, label, value in ((0, "姓名", "张三张三张三"), (45, "性别", "女"))
    ]
    lines = [askew(each) for row in rows for each in row]
    lines += [askew(line(0, 200 + 60 * place, "这是一行很长的文字用来看出倾斜")) for place in range(3)]
    assert values(form(NAME, SEX), *lines) == {"姓名": "张三张三张三", "性别": "女"}


def test_a_fields_box_is_where_its_value_is_printed() -> None:
    (field,) = read_fields(page(line(100, 60, "姓名 张三")), form(NAME)).fields
    assert field.box == ((175, 60), (235, 60), (235, 90), (175, 90))
    assert field.box_1000 == (175, 120, 235, 180)
    assert field.score == 0.9


def test_missing_fields_and_verdicts_are_told() -> None:
    rule = FieldRule(key="证件号码", checks=("identity-number",))
    fields = read_fields(page(line(0, 0, "证件号码 11010519491231002X")), form(rule, NAME))
    assert fields.missing == ("姓名",)
    assert [verdict.state for verdict in fields.fields[0].checks] == ["pass"]


def test_a_field_that_is_not_printed_beside_such_a_value_is_not_missed() -> None:
    code = FieldRule(key="发票代码", unless={"发票号码": r"\d{8}"})
    both = form(code, FieldRule(key="发票号码"))
    old = page(line(0, 0, "发票号码 1234567"))
    missed = read_fields(old, both)
    assert missed.missing == ("发票代码",)
    assert with_changes(missed, old, both, {"发票号码": "12345678"}).missing == ()
    assert read_fields(page(line(0, 0, "发票号码 12345678")), both).missing == ()
    assert with_values(old, both, {"发票号码": "12345678"}).missing == ()
    with pytest.raises(ValueError, match="regular expression"):
        FieldRule(key="发票代码", unless={"发票号码": "("})


def test_a_form_is_chosen_by_what_is_printed_and_none_for_an_ordinary_page() -> None:
    card = page(line(0, 0, "姓名 张三"), line(0, 50, "性别 女 民族 汉"), line(0, 100, "住址 江州市"),
                line(0, 150, "公民身份号码 11010519491231002X"))  # fmt: skip
    chosen = choose(card, built_in())
    assert chosen is not None and chosen.name == "identity-card"
    assert (
        choose(page(line(0, 0, "姓名和性别都要写在合同上"), line(0, 50, "The total is written down.")), built_in())
        is None
    )
    assert choose(page(), built_in()) is None


def test_keys_alone_are_their_own_labels_and_borrow_the_pages_form() -> None:
    fields = read_keys(
        page(line(0, 0, "房号 1203"), line(0, 50, "Colour: red")), ["房号", "Colour", "楼层"], built_in()
    )
    assert fields.flat() == {"房号": "1203", "Colour": "red"} and fields.missing == ("楼层",)
    card = next(each for each in built_in() if each.name == "identity-card")
    assert of_keys(["公民身份号码", "电话"], card).fields[0].checks == ("identity-number",)


def test_an_operators_form_comes_first_and_replaces_its_namesake() -> None:
    own = Form(name="receipt", fields=(FieldRule(key="x"),))
    names = [each.name for each in with_own([own])]
    assert names[0] == "receipt" and names.count("receipt") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a", "fields": [{"key": "x", "pattern": "("}]},
        {"name": "a", "fields": [{"key": "x", "checks": ["nothing"]}]},
        {"name": "a", "fields": [{"key": "x"}, {"key": "x"}]},
        {"name": "a", "fields": [{"key": "x", "anywhere": True}]},
        {"name": "a", "fields": [{"key": "x"}], "agreements": [{"kind": "sum", "fields": ["y"]}]},
        {"name": "a", "fields": [{"key": "x"}], "agreements": [{"kind": "nothing", "fields": ["x"]}]},
        {"name": "a", "fields": [], "colour": "red"},
    ],
)
def test_a_form_that_does_not_fit_is_refused_when_it_is_loaded(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Form.model_validate(wrong)
