"""The machine-readable zone of passports and cards (ICAO Doc 9303, parts 3 to 6)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.fields.squeezed import squeezed
from runtime.fields.verdicts import Verdict, failed, passed, unchecked

_WEIGHTS = (7, 3, 1)
_SHAPE = re.compile(r"[A-Z0-9<]{24,48}")
_FILLERS = str.maketrans({"«": "<<", "‹": "<", "〈": "<", "《": "<<", "く": "<", "＜": "<"})
"""What recognisers make of a filler."""


@dataclass(frozen=True)
class Zone:
    """What a zone says. Names have spaces for fillers; dates are YYMMDD as printed.

    `checked`: for each of number, birth, expiry and all ("composite"), whether its check digit fits.
    `lines`: indices, into what was given, of the zone's lines.
    """

    document: str
    issuer: str
    surname: str
    given_names: str
    number: str
    nationality: str
    birth: str
    sex: str
    expiry: str
    checked: dict[str, bool]
    lines: tuple[int, ...]


def check_digit(text: str) -> str:
    """Doc 9303-3, 4.9: weights 7, 3, 1; A is 10, a filler is 0; modulo 10."""
    total = sum((0 if sign == "<" else int(sign, 36)) * _WEIGHTS[place % 3] for place, sign in enumerate(text))
    return str(total % 10)


def find_zone(lines: Sequence[str]) -> Zone | None:
    """The first passport-sized zone (TD3, two lines of 44) among a page's lines; None if there is none.

    Runs of fillers are often read a few signs too long or too short: they alone are stretched or cut.
    """
    written = [squeezed(line.translate(_FILLERS)).upper() for line in lines]
    for index, line in enumerate(written):
        if not (_SHAPE.fullmatch(line) and re.match(r"P[A-Z<][A-Z0]{3}", line) and "<" in line[5:]):
            continue
        for second in range(index + 1, min(index + 3, len(written))):
            if _SHAPE.fullmatch(written[second]) and re.match(
                r"[A-Z0-9<]{9}[\dOQDIZSB][A-Z0<]{3}[\dOQDIZSB]{7}", written[second]
            ):
                return _zone(line, _stretched(written[second]), (index, second))
    return None


def _stretched(line: str) -> str:
    """A second line of 44 signs. Before its two last check digits come fillers, unless all are used."""
    if len(line) == 44:
        return line
    found = re.fullmatch(r"(?P<head>.{28}[A-Z0-9]*)<+(?P<tail>[0-9<]?\d)", line)
    if found is None:
        return line[:44].ljust(44, "<")
    head, tail = found["head"], found["tail"].rjust(2, "<")
    return head + "<" * (42 - len(head)) + tail


_AS_LETTERS = str.maketrans("01258", "OIZSB")
_AS_DIGITS = str.maketrans("OQDIZSB", "0001258")
"""Doc 9303-3, 4.3: names and states are letters, dates digits; what looks alike is read by its place."""


def _zone(first: str, second: str, lines: tuple[int, ...]) -> Zone:
    first = first.translate(_AS_LETTERS)
    second = (
        second[:9]
        + second[9].translate(_AS_DIGITS)
        + second[10:13].translate(_AS_LETTERS)
        + second[13:20].translate(_AS_DIGITS)
        + second[20]
        + second[21:28].translate(_AS_DIGITS)
        + second[28:]
    )
    surname, _, given = first[5:44].rstrip("<").partition("<<")
    composite = second[0:10] + second[13:20] + second[21:43]
    return Zone(
        document=first[:2].rstrip("<"),
        issuer=first[2:5].rstrip("<"),
        surname=surname.replace("<", " ").strip(),
        given_names=re.sub(r"<+", " ", given).strip(),
        number=second[0:9].rstrip("<"),
        nationality=second[10:13].rstrip("<"),
        birth=second[13:19],
        sex=second[20].replace("<", "X"),
        expiry=second[21:27],
        checked={
            "number": check_digit(second[0:9]) == second[9],
            "birth": check_digit(second[13:19]) == second[19],
            "expiry": check_digit(second[21:27]) == second[27],
            "composite": check_digit(composite) == second[43],
        },
        lines=lines,
    )


def zone_date(text: str, *, past: bool, today: datetime.date) -> datetime.date | None:
    """YYMMDD as a date; births lie in the past, expiries at most 50 years after it."""
    if not re.fullmatch(r"\d{6}", text):
        return None
    year = today.year // 100 * 100 + int(text[:2])
    if past and year > today.year:
        year -= 100
    elif not past and year < today.year - 50:
        year += 100
    try:
        return datetime.date(year, int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None


def zone_verdict(zone: Zone, part: str) -> Verdict:
    """What the check digit of `part` says; names have none but the eye."""
    check = "machine-readable-zone"
    if part not in zone.checked:
        return unchecked(check, "This part of the zone has no check digit.")
    if zone.checked[part]:
        return passed(check, "Its check digit fits.")
    return failed(check, "Its check digit does not fit: a sign was misread, or the zone is wrong.")
