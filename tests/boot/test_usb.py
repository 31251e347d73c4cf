"""USB closes to keyboards once the page is on the screen; sticks still come and go."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.boot.conftest import StartMachine
from tests.boot.person import ANSWER_S, START_S, press_until
from tests.boot.qemu import PATIENCE
from tests.boot.screen import squeezed, text_of_screen, wait_for_text
from tests.boot.stick import make_stick
from tests.pages.render import render

KEYBOARD_PORT = "3"
_ONLY_USB = ("-machine", "pc,i8042=off", "-device", f"usb-kbd,id=first,port={KEYBOARD_PORT}")


@pytest.mark.full
def test_a_keyboard_that_comes_later_does_nothing_and_a_stick_does(
    iso: Path, start: StartMachine, tmp_path: Path
) -> None:
    render("note").image.save(tmp_path / "page.png")
    stick = make_stick(tmp_path / "stick.img", {"late.png": tmp_path / "page.png"})
    machine = start(iso, more=_ONLY_USB)
    machine.wait_for("usb-closed", START_S)
    machine.wait_for("engine-ready", START_S)
    press_until(machine, "l", "Power off", name="1-english")

    machine.attach("usb-kbd", id="stranger")
    machine.pull_out("first")
    time.sleep(30 * PATIENCE)  # the kernel finds the device
    machine.press("l")
    time.sleep(60 * PATIENCE)  # the page would have answered
    assert squeezed("Power off") in text_of_screen(machine, "3-unmoved")

    machine.pull_out("stranger")
    machine.attach("usb-kbd", id="again", port=KEYBOARD_PORT)
    press_until(machine, "l", "关机", name="4-chinese")

    machine.plug_in("late", stick)
    wait_for_text(machine, "late.png", name="5-stick", limit_s=ANSWER_S)
