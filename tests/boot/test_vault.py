"""Vaults made by a person at the station, on its own stick and on another, with the real LUKS and the real kernel."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.boot.person import ANSWER_S, READ_S, START_S, power_off, press_until
from tests.boot.qemu import PATIENCE, Machine, MachineError
from tests.boot.screen import squeezed, text_of_screen, wait_for_text
from tests.boot.stick import make_stick
from tests.pages.render import render

HOME, HISTORY, GONE = "加密保险库", "按文件名查找", "保险库已被拔出"
"""What is on the screen as long as one of these is: the vault's dialog, its history, the bar over the page."""
PASSPHRASE = "lan-hai-yun-7431"
PAGE = "minutes.png"
MENDED = "mended by hand"
STICK_BYTES = 1200 * 1024 * 1024
SLOW_BYTES_A_SECOND = 8 * 1024
"""A page takes a quarter of a minute: time enough to pull the stick meanwhile."""

pytestmark = pytest.mark.full


def test_vaults_on_both_sticks_keep_a_page_through_pulls_and_a_restart(iso: Path, room: Path, tmp_path: Path) -> None:
    page = tmp_path / PAGE
    render("note").image.save(page)
    scans = make_stick(tmp_path / "scans.img", {PAGE: page})
    other = make_stick(tmp_path / "other.img", {}, label="OTHER", mebibytes=300)
    own = _own_stick(iso, tmp_path)

    with Machine(own, room, sticks=(scans,), keeps=True) as machine:
        machine.wait_for("engine-ready", START_S)
        wait_for_text(machine, PAGE, name="1-list", limit_s=ANSWER_S)
        _make(machine, "2-own")
        _close(machine, HOME, "2-own")
        wait_for_text(machine, PAGE, name="3-list", limit_s=ANSWER_S)
        machine.press("a", "ret")
        wait_for_text(machine, "核对结果", "Store room key", name="4-review", limit_s=READ_S)
        _history(machine, "5-own")
        _lock(machine, "6-own")
        machine.pull_out("stick")
        wait_for_text(machine, "已被拔出", name="7-pulled", limit_s=ANSWER_S)
        _close(machine, "已被拔出", "7-pulled")

        machine.plug_in("other", other)
        _make(machine, "8-other")
        _close(machine, HOME, "8-other")
        _pull_while_it_is_written(machine, "9-mended")

        machine.plug_in("again", other)
        _unlock(machine, "10-again")
        _history(machine, "11-again")
        _close(machine, HISTORY, "11-again")
        machine.pull_out("again")
        wait_for_text(machine, "其中的内容完好", name="12-at-rest", limit_s=ANSWER_S)
        _close(machine, GONE, "12-at-rest")
        power_off(machine)

    assert b"LUKS" in _head(other)
    with Machine(own, room, keeps=True) as machine:
        machine.wait_for("kiosk-painted", START_S)
        _unlock(machine, "21-own")
        _history(machine, "22-own")
        _lock(machine, "23-own")
        machine.plug_in("other", other)
        _unlock(machine, "24-other")
        _history(machine, "25-other")
        machine.press("tab", "ret")
        wait_for_text(machine, "核对结果", MENDED, name="26-as-it-was", limit_s=ANSWER_S)
        machine.press_power_button()  # with the vault open: in good order all the same
        machine.wait_until_off(ANSWER_S)


def _own_stick(iso: Path, folder: Path) -> Path:
    """The ISO on a larger stick, as `dd` leaves it."""
    image = folder / "station.qcow2"
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(iso), str(image), str(STICK_BYTES)]
    subprocess.run(command, check=True)
    return image


def _make(machine: Machine, name: str) -> None:
    machine.press("v")
    wait_for_text(machine, "加密保险库", "建立保险库", name=f"{name}-home", limit_s=ANSWER_S)
    machine.press("m")
    shown = wait_for_text(machine, "建在哪里", name=f"{name}-make", limit_s=ANSWER_S)
    machine.type(PASSPHRASE)
    machine.press("tab", "tab")
    machine.type(PASSPHRASE)
    code = re.search(r"输入(\d{4})", shown)
    if code is not None:  # the stick is another, and would be erased
        machine.press("tab", "tab", "tab")
        machine.type(code[1])
    wait_for_text(machine, "很强", name=f"{name}-strong", limit_s=ANSWER_S)
    machine.press("ret")
    wait_for_text(machine, "恢复密钥", "只显示这一次", name=f"{name}-key", limit_s=ANSWER_S)
    machine.press("y")
    wait_for_text(machine, "保险库已打开", name=f"{name}-open", limit_s=ANSWER_S)


def _unlock(machine: Machine, name: str) -> None:
    """The station offers it by itself."""
    wait_for_text(machine, "解锁保险库", "口令或恢复密钥", name=f"{name}-offered", limit_s=ANSWER_S)
    machine.type(PASSPHRASE)
    machine.press("ret")
    press_until(machine, "v", "保险库已打开", name=f"{name}-open")
    _close(machine, HOME, name)


def _lock(machine: Machine, name: str) -> None:
    """From the history that is shown."""
    _close(machine, HISTORY, name)
    press_until(machine, "v", "保险库已打开", name=f"{name}-home")
    machine.press("x")
    wait_for_text(machine, "保险库已锁上", name=f"{name}-locked", limit_s=ANSWER_S)
    _close(machine, HOME, name)


def _history(machine: Machine, name: str) -> None:
    press_until(machine, "v", "保险库已打开", name=f"{name}-home")
    machine.press("h")
    wait_for_text(machine, HISTORY, PAGE, name=f"{name}-history", limit_s=ANSWER_S)


def _close(machine: Machine, words: str, name: str) -> None:
    """Two notices may stand above each other, of the stick and of the vault on it: Escape takes one at a time."""
    deadline = time.monotonic() + ANSWER_S * PATIENCE
    while squeezed(words) in text_of_screen(machine, f"{name}-closed"):
        if time.monotonic() > deadline:
            raise MachineError(f"Escape does not take away {words}")
        machine.press("esc")
        time.sleep(15 * PATIENCE)


def _pull_while_it_is_written(machine: Machine, name: str) -> None:
    """Correct a line; pull the vault once the first of it has reached the stick, and before the last has."""
    wait_for_text(machine, "核对结果", "Store room key", name=f"{name}-before", limit_s=ANSWER_S)
    machine.slow_down("other", SLOW_BYTES_A_SECOND)
    before = machine.bytes_written("other")
    machine.press("ret")
    machine.press(*("spc" if sign == " " else sign for sign in MENDED), "ret")
    deadline = time.monotonic() + ANSWER_S * PATIENCE
    while machine.bytes_written("other") == before:
        if time.monotonic() > deadline:
            raise MachineError("nothing was written to the vault")
        time.sleep(0.1)
    machine.pull_out("other")
    wait_for_text(machine, "1页暂存于内存", name=f"{name}-pulled", limit_s=ANSWER_S)
    _close(machine, GONE, name)


def _head(image: Path) -> bytes:
    with image.open("rb") as stream:
        return stream.read(4 * 1024 * 1024)
