"""From power-on to a stick with text on it, by keyboard alone, as a person would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.boot.conftest import StartMachine
from tests.boot.person import ANSWER_S, START_S, power_off, read_all_and_save
from tests.boot.qemu import MILESTONES, Firmware, in_order
from tests.boot.stick import make_stick, names_on, read_from
from tests.boot.turns import in_turn
from tests.pages.cer import cer
from tests.pages.render import render

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"


@pytest.mark.parametrize("firmware", in_turn(Firmware), ids=lambda firmware: firmware.value)
def test_a_page_from_a_stick_comes_back_as_text(
    iso: Path, start: StartMachine, tmp_path: Path, firmware: Firmware
) -> None:
    english, chinese = render("note"), render("notice")
    pages = {"1-english.png": tmp_path / "english.png", "2-chinese.png": tmp_path / "chinese.png"}
    english.image.save(pages["1-english.png"])
    chinese.image.save(pages["2-chinese.png"])
    if (SAMPLES / "phototest.tif").exists():
        pages["3-phototest.tif"] = SAMPLES / "phototest.tif"
    stick = make_stick(tmp_path / "stick.img", pages)

    machine = start(iso, firmware, stick)
    for milestone in MILESTONES:
        machine.wait_for(milestone, START_S)
    assert in_order(machine.reports)
    read_all_and_save(machine, pages, "Store room key")
    power_off(machine)

    saved = names_on(stick, "Inkstick")
    assert {Path(name).stem for name in saved} == {Path(name).stem for name in pages}
    assert cer(english.text, read_from(stick, "Inkstick/1-english.txt").decode()) <= 0.02
    assert cer(chinese.text, read_from(stick, "Inkstick/2-chinese.txt").decode()) <= 0.02
    record = json.loads(read_from(stick, "Inkstick/1-english.json"))
    assert record["engine"]["name"] == "rapidocr"
    if "3-phototest.tif" in pages:
        truth = (SAMPLES / "phototest.txt").read_text()
        assert cer(truth, read_from(stick, "Inkstick/3-phototest.txt").decode()) <= 0.02


@pytest.mark.full
def test_the_power_button_switches_off(iso: Path, start: StartMachine) -> None:
    machine = start(iso)
    machine.wait_for("kiosk-painted", START_S)
    machine.press_power_button()
    machine.wait_until_off(ANSWER_S)
