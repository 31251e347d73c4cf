"""Dates as forms print them."""

from __future__ import annotations

import datetime
import re
import unicodedata

from runtime.fields.squeezed import squeezed
from runtime.fields.verdicts import Verdict, failed, passed

_NUMERIC = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_SOLID = re.compile(r"(?<!\d)((?:19|20)\d{2})(\d{2})(\d{2})(?!\d)")
_DAY_FIRST_NAME = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?[\s\-./]*([A-Za-z]{3,9})\.?[\s\-./,]*(\d{4})")
_NAME_FIRST = re.compile(r"([A-Za-z]{3,9})\.?\s*(\d{1,2})(?:st|nd|rd|th)?\s*,?\s*(\d{4})")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")
_HAN = re.compile(r"([〇零○O0一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日")
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_HAN_DIGITS = {
    "〇": 0,
    "零": 0,
    "○": 0,
    "O": 0,
    "0": 0,
    **{sign: value for value, sign in enumerate("一二三四五六七八九", 1)},
}


def parse_date(text: str) -> datetime.date | None:
    """The first date in `text`; None if there is none, or it is on no calendar.

    Of 03/04/2024 it is unknown which is the month: such a date is None unless only one reading exists.
    """
    written = squeezed(text)
    for pattern in (_NUMERIC, _SOLID):
        if found := pattern.search(written):
            return _date(*(int(part) for part in found.groups()))
    if found := _HAN.search(written):
        year = int("".join(str(_HAN_DIGITS[sign]) for sign in found[1]))
        return _date(year, _han_number(found[2]), _han_number(found[3]))
    spaced = unicodedata.normalize("NFKC", text)
    if (found := _DAY_FIRST_NAME.search(spaced)) and (month := _MONTHS.get(found[2][:3].lower())):
        return _date(int(found[3]), month, int(found[1]))
    if (found := _NAME_FIRST.search(spaced)) and (month := _MONTHS.get(found[1][:3].lower())):
        return _date(int(found[3]), month, int(found[2]))
    if found := _DAY_FIRST.search(written):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        readings = {_date(year, second, first), _date(year, first, second)} - {None}
        return readings.pop() if len(readings) == 1 else None
    return None


def date(value: str) -> Verdict:
    """A date that is on the calendar."""
    if parse_date(value) is None:
        return failed("date", "It is no date on the calendar, or day and month cannot be told apart.")
    return passed("date", "It is a date on the calendar.")


def date_range(value: str) -> Verdict:
    """`2015.03.02-2035.03.02` or `2015.03.02-长期`: the second date after the first."""
    check = "date-range"
    written = squeezed(value)
    dates = [_date(int(a), int(b), int(c)) for a, b, c in _NUMERIC.findall(written)]
    if not dates or None in dates or len(dates) > 2:
        return failed(check, "It does not hold one or two dates on the calendar.")
    if len(dates) == 1:
        if "长期" in written or "至今" in written:
            return passed(check, "It begins on a date and has no end.")
        return failed(check, "Its end is missing.")
    if str(dates[0]) >= str(dates[1]):
        return failed(check, "It ends before it begins.")
    return passed(check, "It begins before it ends.")


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def _han_number(text: str) -> int:
    """1 to 99 in Chinese figures; 0 for what is none, which is no month and no day."""
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _HAN_DIGITS[ones] if len(ones) == 1 else 0
    if len(tens) > 1 or len(ones) > 1:
        return 0
    return (_HAN_DIGITS[tens] if tens else 1) * 10 + (_HAN_DIGITS[ones] if ones else 0)
