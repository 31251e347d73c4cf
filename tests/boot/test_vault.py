"""Vaults made by a person at the station, on its own stick and on another, with the real LUKS and the real kernel."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.boot.person import ANSWER_S, READ_S, START_S, power_off
from tests.boot.qemu import Machine
from tests.boot.screen import wait_for_text
from tests.boot.stick import make_stick
from tests.pages.render import render

PASSPHRASE = "lan-hai-yun-7431"
PAGE = "minutes.png"
STICK_BYTES = 1200 * 1024 * 1024

pytestmark = pytest.mark.full


def _own_stick(iso: Path, folder: Path) -> Path:
    """The ISO on a larger stick, as `dd` leaves it."""
    image = folder / "station.qcow2"
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(iso), str(image), str(STICK_BYTES)]
    subprocess.run(command, check=True)
    return image


def _make(machine: Machine, number: int) -> None:
    machine.press("v")
    wait_for_text(machine, "加密保险库", "建立保险库", name=f"vault-{number}-home", limit_s=ANSWER_S)
    machine.press("m")
    shown = wait_for_text(machine, "建在哪里", name=f"vault-{number}-make", limit_s=ANSWER_S)
    machine.type(PASSPHRASE)
    machine.press("tab", "tab")
    machine.type(PASSPHRASE)
    code = re.search(r"输入(\d{4})", shown)
    if code is not None:  # the stick is another, and would be erased
        machine.press("tab", "tab", "tab")
        machine.type(code[1])
    wait_for_text(machine, "很强", name=f"vault-{number}-strong", limit_s=ANSWER_S)
    machine.press("ret")
    wait_for_text(machine, "恢复密钥", "只显示这一次", name=f"vault-{number}-key", limit_s=ANSWER_S)
    machine.press("y")
    wait_for_text(machine, "保险库已打开", name=f"vault-{number}-open", limit_s=ANSWER_S)


def _unlock(machine: Machine, name: str) -> None:
    """The station offers it by itself."""
    wait_for_text(machine, "解锁保险库", "口令或恢复密钥", name=f"{name}-offered", limit_s=ANSWER_S)
    machine.type(PASSPHRASE)
    machine.press("ret")


def _history(machine: Machine, name: str) -> None:
    machine.press("v")
    wait_for_text(machine, "保险库已打开", name=f"{name}-home", limit_s=ANSWER_S)
    machine.press("h")
    wait_for_text(machine, "历史记录", PAGE, name=f"{name}-history", limit_s=ANSWER_S)


def test_vaults_on_both_sticks_keep_a_page_through_a_pull_and_a_reboot(iso: Path, room: Path, tmp_path: Path) -> None:
    page = tmp_path / PAGE
    render("note").image.save(page)
    scans = make_stick(tmp_path / "scans.img", {PAGE: page})
    other = make_stick(tmp_path / "other.img", {}, label="OTHER", mebibytes=300)
    own = _own_stick(iso, tmp_path)

    with Machine(own, room, sticks=(scans,), keeps=True) as machine:
        machine.wait_for("engine-ready", START_S)
        wait_for_text(machine, PAGE, name="1-list", limit_s=ANSWER_S)
        _make(machine, 1)
        machine.press("esc")
        wait_for_text(machine, PAGE, name="2-list", limit_s=ANSWER_S)
        machine.press("a", "ret")
        wait_for_text(machine, "Store room key", name="3-review", limit_s=READ_S)
        _history(machine, "4-own")
        machine.press("esc", "v", "x")
        wait_for_text(machine, "保险库已锁上", name="5-locked", limit_s=ANSWER_S)
        machine.press("esc")
        machine.pull_out("stick")
        wait_for_text(machine, "已被拔出", name="6-pulled", limit_s=ANSWER_S)
        machine.press("esc")

        machine.plug_in("other", other)
        wait_for_text(machine, "保险库", name="7-plugged", limit_s=ANSWER_S)
        _make(machine, 2)
        machine.pull_out("other")
        wait_for_text(machine, "保险库已被拔出", name="8-gone", limit_s=ANSWER_S)
        machine.press("esc", "esc")
        machine.plug_in("again", other)
        _unlock(machine, "9-again")
        _history(machine, "10-again")
        machine.press("esc", "esc")
        power_off(machine)

    assert b"LUKS" in _head(other)
    with Machine(own, room, keeps=True) as machine:
        machine.wait_for("kiosk-painted", START_S)
        _unlock(machine, "11-rebooted")
        _history(machine, "12-rebooted")


def _head(image: Path) -> bytes:
    with image.open("rb") as stream:
        return stream.read(4 * 1024 * 1024)
