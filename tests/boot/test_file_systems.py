"""Four sticks at once, one of each file system: each is listed, read from, saved to, and read back here."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.boot.conftest import StartMachine
from tests.boot.file_systems import FILE_SYSTEMS
from tests.boot.person import ANSWER_S, READ_S, START_S, power_off
from tests.boot.qemu import PATIENCE, Firmware, Machine, MachineError
from tests.boot.screen import text_of_screen, wait_for_text
from tests.pages.cer import cer
from tests.pages.render import render

PAGES = {"FAT32": "收据一.png", "EXFAT": "合同二.png", "NTFS": "报告三.png", "EXT4": "名单四.png"}
"""By label; names differ, so that the screen tells which stick's list it shows."""


@pytest.mark.full
def test_every_file_system_is_read_and_saved_to(iso: Path, start: StartMachine, tmp_path: Path) -> None:
    page = render("notice")
    file = tmp_path / "page.png"
    page.image.save(file)
    sticks = {label: tmp_path / f"{label}.img" for label in PAGES}
    for label, image in sticks.items():
        FILE_SYSTEMS[label].make(image, {PAGES[label]: file}, label)

    machine = start(iso, Firmware.SEABIOS, *sticks.values())
    machine.wait_for("engine-ready", START_S)
    wait_for_text(machine, *sticks, name="list", limit_s=ANSWER_S)
    saved: set[str] = set()
    for number in range(1, 1 + len(sticks)):
        if number > 1:  # the first one's list is there by itself
            machine.press(str(number))
        label = _listed(machine, set(sticks) - saved)
        machine.press("ret")
        wait_for_text(machine, "核对结果", name=f"{label}-2-review", limit_s=READ_S)
        machine.press("s")
        wait_for_text(machine, "保存到哪个", name=f"{label}-2-which", limit_s=ANSWER_S)
        machine.press(str(number))
        wait_for_text(machine, "可以安全拔出", label, name=f"{label}-3-saved", limit_s=ANSWER_S)
        machine.press("ret")
        saved.add(label)
        wait_for_text(machine, *sticks, name=f"{label}-4-list", limit_s=ANSWER_S)
    power_off(machine)

    for label, image in sticks.items():
        text = FILE_SYSTEMS[label].read(image, "Inkstick", f"{Path(PAGES[label]).stem}.txt").decode()
        assert cer(page.text, text) <= 0.02, label


def _listed(machine: Machine, labels: set[str]) -> str:
    """Whose list the screen shows; the kernel numbers sticks in the order in which they answer."""
    deadline = time.monotonic() + ANSWER_S * PATIENCE
    while time.monotonic() < deadline:
        seen = text_of_screen(machine, "choosing")
        found = [label for label in labels if Path(PAGES[label]).stem in seen]
        if found:
            machine.screenshot(f"{found[0]}-1-list")
            return found[0]
        time.sleep(2)
    raise MachineError(f"the list of none of {labels} is shown")
