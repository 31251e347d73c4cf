"""What a person does at the station, by keyboard alone."""

from __future__ import annotations

import time
from collections.abc import Collection

from tests.boot.qemu import PATIENCE, Machine, MachineError
from tests.boot.screen import squeezed, text_of_screen, wait_for_text

START_S = 1500
READ_S = 1800
ANSWER_S = 600


def read_all_and_save(machine: Machine, names: Collection[str], words: str) -> None:
    """Choose every file of the stick, read, and save; `words` are on the first page."""
    wait_for_text(machine, *names, name="1-list", limit_s=ANSWER_S)
    machine.press("a")
    wait_for_text(machine, f"已选 {len(names)} 张", name="2-chosen", limit_s=ANSWER_S)
    machine.press("ret")
    wait_for_text(machine, "核对结果", words, name="3-review", limit_s=READ_S)
    machine.press("s")
    wait_for_text(machine, "可以安全拔出", name="4-saved", limit_s=ANSWER_S)


def power_off(machine: Machine) -> None:
    """From the page, by its own question."""
    machine.press("p")
    wait_for_text(machine, "要关机吗", name="5-power", limit_s=ANSWER_S)
    machine.press("ret")
    machine.wait_until_off(ANSWER_S)


def press_until(machine: Machine, key: str, words: str, *, name: str) -> None:
    """For keys that may be lost: pressed before a keyboard is at work, or while the page is busy."""
    deadline = time.monotonic() + ANSWER_S * PATIENCE
    while squeezed(words) not in (seen := text_of_screen(machine, name)):
        if time.monotonic() > deadline:
            raise MachineError(f"{key} does not bring {words}; the screen shows: {seen}")
        machine.press(key)
        time.sleep(15 * PATIENCE)
