"""Card numbers (ISO/IEC 7812-1) and international account numbers (ISO 13616-1)."""

from __future__ import annotations

import re

from runtime.fields.squeezed import squeezed
from runtime.fields.verdicts import Verdict, failed, passed, unchecked

_COUNTRIES_BY_LENGTH = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_IBAN_LENGTHS = {
    country: length for length, countries in _COUNTRIES_BY_LENGTH.items() for country in countries.split()
}
"""SWIFT's IBAN registry."""


def luhn_digit(payload: str) -> str:
    """The check digit that follows `payload` (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, sign in enumerate(reversed(payload)):
        digit = int(sign) * (2 if place % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return str(-total % 10)


def card_number(value: str) -> Verdict:
    """A payment card's number: 12 to 19 digits, the last of them Luhn's."""
    check = "card-number"
    number = squeezed(value).replace("-", "")
    if not re.fullmatch(r"\d{12,19}", number):
        return failed(check, "It is not 12 to 19 digits.")
    if luhn_digit(number[:-1]) != number[-1]:
        return failed(check, "The check digit does not fit: a digit was misread, or the number is wrong.")
    return passed(check, "The check digit fits.")


def account_number(value: str) -> Verdict:
    """A Chinese bank account: a card's number where it has that length, else without a check digit."""
    check = "account-number"
    number = squeezed(value).replace("-", "")
    if not re.fullmatch(r"\d{8,32}", number):
        return failed(check, "It is not 8 to 32 digits.")
    if 16 <= len(number) <= 19 and number.startswith("62"):
        return card_number(value).model_copy(update={"check": check})
    return unchecked(check, "Account numbers of this form have no published check digit.")


def iban(value: str) -> Verdict:
    """An international bank account number: its country's length, then modulo 97 (ISO 13616-1)."""
    check = "iban"
    number = squeezed(value).upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", number):
        return failed(check, "It is not two letters, two digits and 11 to 30 letters or digits.")
    length = _IBAN_LENGTHS.get(number[:2])
    if length is not None and len(number) != length:
        return failed(check, f"Accounts of that country have {length} signs.")
    if int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 != 1:
        return failed(check, "The check digits do not fit: a sign was misread, or the number is wrong.")
    if length is None:
        return unchecked(check, "The check digits fit, but the registry has no such country.")
    return passed(check, "The check digits fit.")


def bic(value: str) -> Verdict:
    """A business identifier code: its form alone, it has no check sign (ISO 9362)."""
    check = "bic"
    if re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", squeezed(value)):
        return passed(check, "It has the form of a BIC; it has no check sign.")
    return failed(check, "It is not six letters and two or five letters or digits.")
