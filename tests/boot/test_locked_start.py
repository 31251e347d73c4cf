"""Between power-on and the station there is no shell either: not in GRUB, not by the kernel's command line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from builder import isofs
from builder.keys import ROOT
from tests.boot.conftest import StartMachine
from tests.boot.person import ANSWER_S, START_S
from tests.boot.qemu import PATIENCE, Firmware, Machine
from tests.boot.screen import text_of_screen, wait_for_text

OTHER_STARTS = ("init=/bin/sh", "systemd.unit=rescue.target", "systemd.debug_shell=1", "single", "rd.break", "break")


@pytest.mark.parametrize("firmware", [Firmware.SEABIOS, pytest.param(Firmware.OVMF, marks=pytest.mark.full)])
def test_the_menu_starts_the_station_and_nothing_else_without_a_password(
    iso: Path, start: StartMachine, firmware: Firmware
) -> None:
    machine = start(iso, firmware)
    for key in ("e", "c"):
        _asks_for_a_name(machine, key)
        machine.press("ret", "x", "ret")  # ends the name, and gives a password
        wait_for_text(machine, "Start Inkstick", name=f"{key}-refused", limit_s=ANSWER_S)
    machine.press("ret")
    machine.wait_for("medium-found", START_S)


def _asks_for_a_name(machine: Machine, key: str) -> None:
    """The menu waits three seconds: the key is pressed until it is seen."""
    deadline = time.monotonic() + ANSWER_S * PATIENCE
    while "username" not in (seen := text_of_screen(machine, f"{key}-asked")):
        assert time.monotonic() < deadline and "medium-found" not in machine.reports, seen
        machine.press(key)


@pytest.mark.parametrize(
    "words", [OTHER_STARTS[0], *(pytest.param(words, marks=pytest.mark.full) for words in OTHER_STARTS[1:])]
)
def test_a_command_line_that_asks_for_another_start_is_refused(
    iso: Path, start: StartMachine, tmp_path: Path, words: str
) -> None:
    """Past GRUB altogether: the machine gives kernel, initramfs and command line itself."""
    files = isofs.files(iso)
    for name in ("vmlinuz", "initrd.img"):
        (tmp_path / name).write_bytes(isofs.read(iso, files[f"/inkstick/boot/{name}"]))
    line = f"{(ROOT / 'overlay/kernel-command-line').read_text().strip()} {words}"
    direct = ("-kernel", str(tmp_path / "vmlinuz"), "-initrd", str(tmp_path / "initrd.img"), "-append", line)
    machine = start(iso, more=direct)
    assert machine.wait_for("stopped", START_S) == "BOOT-FAILED"
    wait_for_text(machine, "BOOT-FAILED", words.split("=")[0], name="stopped", limit_s=ANSWER_S)
    assert "medium-found" not in machine.reports
