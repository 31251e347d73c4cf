"""Numbers that China gives to people and bodies: identity cards and unified social credit codes."""

from __future__ import annotations

import datetime
import re

from runtime.fields.squeezed import squeezed
from runtime.fields.verdicts import Verdict, failed, passed, unchecked

_IDENTITY_SIGNS = "10X98765432"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015, table 2: no I, O, S, V, Z."""
_PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83), (91, 91))
    for code in range(first, last + 1)
)
"""First two digits of GB/T 2260; 83 is what residence permits of Taiwan residents carry."""


def identity_check_sign(first_seventeen: str) -> str:
    """The eighteenth sign after 17 digits: GB 11643-1999, which takes ISO 7064 MOD 11-2."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(first_seventeen))
    return _IDENTITY_SIGNS[total % 11]


def identity_number(value: str) -> Verdict:
    """An identity card's number: region, birth date and check sign (GB 11643-1999)."""
    check = "identity-number"
    number = squeezed(value).upper()
    if re.fullmatch(r"\d{15}", number):
        return unchecked(check, "It has 15 digits, the form before 1999, which has no check digit.")
    if not re.fullmatch(r"\d{17}[\dX]", number):
        return failed(check, "It is not 17 digits and a digit or X.")
    if number[:2] not in _PROVINCES:
        return failed(check, "Its first two digits are no province's.")
    if birth_of(number) is None:
        return failed(check, "Digits 7 to 14 are no date of birth.")
    if identity_check_sign(number[:17]) != number[17]:
        return failed(check, "The check digit does not fit: a digit was misread, or the number is wrong.")
    return passed(check, "The check digit fits.")


def birth_of(identity: str) -> datetime.date | None:
    """The date of birth in an 18-sign identity number; None if there is none."""
    number = squeezed(identity)
    try:
        born = datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return born if born.year >= 1850 else None


def is_woman(identity: str) -> bool | None:
    """Whether the seventeenth digit is even; None if it is no digit."""
    number = squeezed(identity)
    return int(number[16]) % 2 == 0 if len(number) == 18 and number[16].isdigit() else None


def credit_check_sign(first_seventeen: str) -> str:
    """The last sign of a unified social credit code (GB 32100-2015, weights 3^i modulo 31)."""
    total = sum(_CREDIT_ALPHABET.index(sign) * pow(3, place, 31) for place, sign in enumerate(first_seventeen))
    return _CREDIT_ALPHABET[-total % 31]


def credit_code(value: str) -> Verdict:
    """A unified social credit code, which is the taxpayer number too (GB 32100-2015)."""
    check = "credit-code"
    code = squeezed(value).upper()
    if re.fullmatch(r"[0-9A-Z]{15}|[0-9A-Z]{20}", code):
        return unchecked(check, "It has the length of a taxpayer number before 2015, which has no check digit.")
    if len(code) != 18:
        return failed(check, "It does not have 18 signs.")
    if any(sign not in _CREDIT_ALPHABET for sign in code):
        return failed(check, "It has a sign that such codes do not use (I, O, S, V, Z or another).")
    if credit_check_sign(code[:17]) != code[17]:
        return failed(check, "The check sign does not fit: a sign was misread, or the code is wrong.")
    return passed(check, "The check sign fits.")


def invoice_number(value: str) -> Verdict:
    """A VAT invoice's number: 20 digits when fully digital, 8 on the older forms.

    State Taxation Administration, Announcement 11 of 2024: two digits of year, two of region, one
    of channel, fifteen in sequence. Neither form has a check digit.
    """
    check = "invoice-number"
    number = squeezed(value)
    if re.fullmatch(r"\d{8}", number):
        return passed(check, "It has the 8 digits of the older forms, which have no check digit.")
    if not re.fullmatch(r"\d{20}", number):
        return failed(check, "It has neither 20 digits nor the 8 of the older forms.")
    if number[2:4] not in _PROVINCES:
        return failed(check, "Digits 3 and 4 are no province's.")
    return passed(check, "Year and region are possible; it has no check digit.")


def invoice_code(value: str) -> Verdict:
    """The older forms' invoice code: 10 or 12 digits, without a check digit."""
    check = "invoice-code"
    if re.fullmatch(r"\d{10}|0\d{11}", squeezed(value)):
        return passed(check, "It has the digits of an invoice code; it has no check digit.")
    return failed(check, "It is neither 10 digits nor 12 that begin with 0.")
