"""The passport's zone: the specimen of ICAO Doc 9303-4, and what recognisers do to it."""

from __future__ import annotations

import datetime

import pytest

from runtime.fields.machine_readable import find_zone, zone_date

FIRST = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
SECOND = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"


def test_the_specimen_is_read_and_all_its_check_digits_fit() -> None:
    zone = find_zone(["PASSPORT", FIRST, SECOND])
    assert zone is not None
    assert (zone.surname, zone.given_names, zone.number) == ("ERIKSSON", "ANNA MARIA", "L898902C3")
    assert (zone.nationality, zone.birth, zone.sex, zone.expiry) == ("UTO", "740812", "F", "120415")
    assert all(zone.checked.values()) and zone.lines == (1, 2)


@pytest.mark.parametrize("place", [0, 3, 14, 22])
def test_a_misread_sign_fails_its_check_digit(place: int) -> None:
    wrong = SECOND[:place] + ("7" if SECOND[place] != "7" else "1") + SECOND[place + 1 :]
    zone = find_zone([FIRST, wrong])
    assert zone is not None and not all(zone.checked.values())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (FIRST[:-6], SECOND),
        (FIRST + "<<", SECOND),
        (FIRST, SECOND.replace("<<<<<", "<<<")),
        (FIRST, SECOND.replace("<<<<<", "<<<<<<<")),
        (FIRST.replace("<<<<", "«<<"), SECOND),
        (FIRST.replace("O", "0"), SECOND.replace("7408122", "74O8122")),
        (FIRST[:20] + " " + FIRST[20:], SECOND),
    ],
    ids=["fillers-lost", "fillers-gained", "short", "long", "guillemet", "look-alikes", "space"],
)
def test_misread_fillers_and_look_alikes_cost_nothing(first: str, second: str) -> None:
    assert find_zone([first, second]) is not None
    zone, specimen = find_zone([first, second]), find_zone([FIRST, SECOND])
    assert zone == specimen


@pytest.mark.parametrize("lines", [[], [FIRST], [SECOND], [SECOND, FIRST], ["P<", "1" * 44], ["<" * 44, "<" * 44]])
def test_no_zone_is_found_where_none_is(lines: list[str]) -> None:
    assert find_zone(lines) is None


def test_two_digits_of_a_year_are_a_birth_past_and_an_expiry_near() -> None:
    today = datetime.date(2026, 11, 22)
    assert zone_date("740812", past=True, today=today) == datetime.date(1974, 8, 12)
    assert zone_date("260812", past=True, today=today) == datetime.date(2026, 8, 12)
    assert zone_date("340812", past=False, today=today) == datetime.date(2034, 8, 12)
    assert zone_date("341312", past=False, today=today) is None
