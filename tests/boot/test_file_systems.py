"""Four sticks at once, one of each file system: each is listed, read from, saved to, and read back here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.boot.conftest import StartMachine
from tests.boot.file_systems import FILE_SYSTEMS
from tests.boot.person import ANSWER_S, READ_S, START_S, power_off
from tests.boot.qemu import Firmware
from tests.boot.screen import wait_for_text
from tests.pages.cer import cer
from tests.pages.render import render

PAGE = "收据一.png"


@pytest.mark.full
def test_every_file_system_is_read_and_saved_to(iso: Path, start: StartMachine, tmp_path: Path) -> None:
    page = render("notice")
    file = tmp_path / "page.png"
    page.image.save(file)
    sticks = {label: tmp_path / f"{label}.img" for label in FILE_SYSTEMS}
    for label, image in sticks.items():
        FILE_SYSTEMS[label].make(image, {PAGE: file}, label)

    machine = start(iso, Firmware.SEABIOS, *sticks.values())
    machine.wait_for("engine-ready", START_S)
    for number, label in enumerate(sticks, 1):
        wait_for_text(machine, *sticks, name=f"{label}-0-all", limit_s=ANSWER_S)
        machine.press(str(number))
        wait_for_text(machine, Path(PAGE).stem, name=f"{label}-1-list", limit_s=ANSWER_S)
        machine.press("ret")
        wait_for_text(machine, "请核对文字", name=f"{label}-2-review", limit_s=READ_S)
        machine.press("s")
        wait_for_text(machine, "可以安全拔出", label, name=f"{label}-3-saved", limit_s=ANSWER_S)
        machine.press("ret")
    wait_for_text(machine, *sticks, name="list", limit_s=ANSWER_S)
    power_off(machine)

    for label, image in sticks.items():
        saved = FILE_SYSTEMS[label].read(image, "Inkstick", f"{Path(PAGE).stem}.txt").decode()
        assert cer(page.text, saved) <= 0.02, label
