"""Checks of single values: the standards' own examples pass, one changed sign does not."""

from __future__ import annotations

import datetime
import random
from decimal import Decimal

import pytest

from runtime.fields.amounts import parse_amount, parse_capitals
from runtime.fields.checks import AGREEMENTS, CHECKS
from runtime.fields.dates import parse_date
from tests.pages.invented import Invented, capitals


def state(check: str, value: str) -> str:
    return CHECKS[check](value).state


@pytest.mark.parametrize(
    ("check", "value"),
    [
        ("identity-number", "11010519491231002X"),  # GB 11643-1999, its example
        ("identity-number", "1101 0519 4912 3100 2x"),
        ("credit-code", "91350100M000100Y43"),
        ("card-number", "4111 1111 1111 1111"),
        ("iban", "GB82 WEST 1234 5698 7654 32"),  # ISO 13616's example
        ("iban", "DE89370400440532013000"),
        ("bic", "DEUTDEFF500"),
        ("invoice-number", "24322000000012345678"),
        ("invoice-number", "12345678"),
        ("invoice-code", "3200204130"),
        ("date", "2024年2月29日"),
        ("date-range", "2015.03.02-2035.03.02"),
        ("date-range", "2015.03.02-长期"),
        ("amount", "¥1,234.50"),
        ("amount-in-capitals", "人民币壹仟贰佰叁拾肆元伍角陆分"),
    ],
)
def test_what_a_standard_allows_passes(check: str, value: str) -> None:
    assert state(check, value) == "pass"


@pytest.mark.parametrize(
    ("check", "value"),
    [
        ("identity-number", "110105194912310021"),
        ("identity-number", "11010519491331002X"),
        ("identity-number", "99010519491231002X"),
        ("identity-number", "1101O519491231002X"),
        ("credit-code", "91350100M000100Y44"),
        ("credit-code", "9135O100M000100Y43"),
        ("credit-code", "91350100M000100Y4"),
        ("card-number", "4111 1111 1111 1112"),
        ("card-number", "4111"),
        ("iban", "GB82 WEST 1234 5698 7654 33"),
        ("iban", "DE8937040044053201300"),
        ("bic", "DEUT"),
        ("invoice-number", "2432200000001234567"),
        ("invoice-number", "24992000000012345678"),
        ("invoice-code", "12345"),
        ("date", "2023年2月29日"),
        ("date", "03/04/2024"),
        ("date-range", "2035.03.02-2015.03.02"),
        ("amount", "12,34.50"),
        ("amount", "none"),
        ("amount-in-capitals", "壹贰元"),
    ],
)
def test_what_a_standard_forbids_fails_with_a_reason(check: str, value: str) -> None:
    verdict = CHECKS[check](value)
    assert verdict.state == "fail" and verdict.why.endswith(".")
    assert value not in verdict.why


@pytest.mark.parametrize(
    ("check", "value"),
    [
        ("identity-number", "110105491231002"),
        ("credit-code", "110105491231002"),
        ("account-number", "063608377835337"),
    ],
)
def test_what_has_no_check_digit_is_said_to_be_unchecked(check: str, value: str) -> None:
    assert state(check, value) == "unchecked"


@pytest.mark.parametrize("check", ["identity-number", "credit-code", "card-number", "iban"])
def test_every_single_misread_digit_is_found(check: str) -> None:
    made = Invented(5)
    for _ in range(20):
        number = {
            "identity-number": lambda: made.identity(made.date(), True),
            "credit-code": made.credit_code,
            "card-number": made.card,
            "iban": made.iban,
        }[check]()
        assert state(check, number) == "pass"
        places = [place for place, sign in enumerate(number) if sign.isdigit()]
        for place in places:
            other = str((int(number[place]) + made.chance.randint(1, 9)) % 10)
            assert state(check, number[:place] + other + number[place + 1 :]) == "fail"


def test_capitals_are_read_back_to_the_cent() -> None:
    chance = random.Random(3)
    drawn = [chance.randint(1, 10 ** chance.randint(1, 12) - 1 or 1) for _ in range(2000)]
    for cents in [1, 10, 100, 1005, 100_000_05, 10**10, *drawn]:
        assert parse_capitals(capitals(cents)) == Decimal(cents) / 100, capitals(cents)


@pytest.mark.parametrize("text", ["元整", "叁仟佰元", "壹贰元", "", "壹佰", "万元", "壹拾亿元元"])
def test_capitals_out_of_order_are_no_amount(text: str) -> None:
    assert parse_capitals(text) is None


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("¥1,234.50", "1234.50"),
        ("１２３．４０元", "123.40"),
        ("EUR 12.00", "12.00"),
        ("金额 7", "7"),
        ("-3.50", "-3.50"),
    ],
)
def test_amounts_are_read_whatever_their_currency(text: str, amount: str) -> None:
    assert parse_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["1.234,50", "12,34", "1.2.3", "3.456"])
def test_an_amount_that_could_mean_two_things_is_none(text: str) -> None:
    assert parse_amount(text) is None


@pytest.mark.parametrize(
    "text",
    ["1990年5月17日", "1990-05-17", "19900517", "17 May 1990", "May 17, 1990", "17/05/1990", "一九九〇年五月十七日"],
)
def test_a_date_is_read_in_every_usual_print(text: str) -> None:
    assert parse_date(text) == datetime.date(1990, 5, 17)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("same-amount", ["180,350.63", "壹拾捌万零叁佰伍拾元陆角叁分"], "pass"),
        ("same-amount", ["180,350.68", "壹拾捌万零叁佰伍拾元陆角叁分"], "fail"),
        ("same-amount", ["180,350.68", "?"], "unchecked"),
        ("sum", ["100.00", "13.00", "113.00"], "pass"),
        ("sum", ["100.00", "13.00", "118.00"], "fail"),
        ("birth-in-number", ["11010519491231002X", "1949年12月31日"], "pass"),
        ("birth-in-number", ["11010519491231002X", "1949年12月30日"], "fail"),
        ("sex-in-number", ["11010519491231002X", "女"], "pass"),
        ("sex-in-number", ["11010519491231002X", "男"], "fail"),
        ("dates-in-order", ["2024-01-02", "2024-01-01"], "fail"),
        ("dates-in-order", ["2024-01-01", "2024-01-02"], "pass"),
    ],
)
def test_fields_are_held_against_each_other(kind: str, values: list[str], expected: str) -> None:
    assert AGREEMENTS[kind](values).state == expected
