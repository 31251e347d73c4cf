"""The checks that forms name, and what fields of one form must agree on."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from runtime.fields import amounts, bank_numbers, dates, national_numbers
from runtime.fields.verdicts import Verdict, failed, passed, unchecked

CHECKS: dict[str, Callable[[str], Verdict]] = {
    "identity-number": national_numbers.identity_number,
    "credit-code": national_numbers.credit_code,
    "invoice-number": national_numbers.invoice_number,
    "invoice-code": national_numbers.invoice_code,
    "card-number": bank_numbers.card_number,
    "account-number": bank_numbers.account_number,
    "iban": bank_numbers.iban,
    "bic": bank_numbers.bic,
    "date": dates.date,
    "date-range": dates.date_range,
    "amount": amounts.amount,
    "amount-in-capitals": amounts.amount_in_capitals,
}
"""Check names, as forms give them, to functions of the printed value."""


def _amount_of(text: str) -> Decimal | None:
    capitals = amounts.parse_capitals(text)
    return amounts.parse_amount(text) if capitals is None else capitals


def same_amount(values: Sequence[str]) -> Verdict:
    """Two prints of one amount, such as digits and capitals."""
    check = "same-amount"
    read = [_amount_of(value) for value in values]
    if None in read:
        return unchecked(check, "One of the amounts is no amount.")
    if len(set(read)) > 1:
        return failed(check, "The amounts differ: one was misread, or the document contradicts itself.")
    return passed(check, "The amounts agree.")


def sums_up(values: Sequence[str]) -> Verdict:
    """All values but the last add up to the last, to the cent."""
    check = "sum"
    read = [_amount_of(value) for value in values]
    known = [each for each in read if each is not None]
    if len(known) < len(read):
        return unchecked(check, "One of the amounts is no amount.")
    if sum(known[:-1]) != known[-1]:
        return failed(check, "The parts do not add up to the total.")
    return passed(check, "The parts add up to the total.")


def birth_in_identity(values: Sequence[str]) -> Verdict:
    """An identity number and a printed date of birth."""
    check = "birth-in-number"
    born, printed = national_numbers.birth_of(values[0]), dates.parse_date(values[1])
    if born is None or printed is None:
        return unchecked(check, "Number or date cannot be read as a date.")
    if born != printed:
        return failed(check, "The number holds another date of birth.")
    return passed(check, "The number holds this date of birth.")


def sex_in_identity(values: Sequence[str]) -> Verdict:
    """An identity number and a printed sex."""
    check = "sex-in-number"
    woman = national_numbers.is_woman(values[0])
    if woman is None or values[1].strip() not in ("男", "女"):
        return unchecked(check, "Number or sex cannot be read.")
    if woman != (values[1].strip() == "女"):
        return failed(check, "The number's seventeenth digit says the other sex.")
    return passed(check, "The number's seventeenth digit says so too.")


def in_order(values: Sequence[str]) -> Verdict:
    """Dates, each no later than the next."""
    check = "dates-in-order"
    read = [dates.parse_date(value) for value in values]
    known: list[datetime.date] = [each for each in read if each is not None]
    if len(known) < len(read):
        return unchecked(check, "One of the dates is no date.")
    if known != sorted(known):
        return failed(check, "The dates are in the wrong order.")
    return passed(check, "The dates are in order.")


AGREEMENTS: dict[str, Callable[[Sequence[str]], Verdict]] = {
    "same-amount": same_amount,
    "sum": sums_up,
    "birth-in-number": birth_in_identity,
    "sex-in-number": sex_in_identity,
    "dates-in-order": in_order,
}
"""Agreement names, as forms give them, to functions of the values they join."""


def verdicts_on(value: str, names: Sequence[str]) -> list[Verdict]:
    """What each named check says of a printed value."""
    return [CHECKS[name](value) for name in names]


def agreement(kind: str, keys: Sequence[str], values: Mapping[str, str]) -> Verdict | None:
    """What the agreement says; "unchecked" if a field was not found, None if none of them was."""
    found = [values[key] for key in keys if key in values]
    if not found:
        return None
    if len(found) < len(keys):
        return unchecked(kind, "A field that it needs was not found.")
    return AGREEMENTS[kind](found)
