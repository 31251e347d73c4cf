"""GRUB's menu, used by keyboard."""

from __future__ import annotations

import time
from enum import IntEnum

from tests.boot.qemu import PATIENCE, Machine, MachineError
from tests.boot.screen import squeezed, text_of_screen

MENU_S = 300


class Choice(IntEnum):
    """The menu's entries, by how often the arrow key is pressed to come to them."""

    START = 0
    TO_RAM = 1
    CHECK = 2
    SAFE_GRAPHICS = 3


def choose(machine: Machine, choice: Choice) -> None:
    """Wait for the menu, and start an entry of it.

    The menu waits three seconds: a key that changes nothing is pressed until the menu is seen, which stops its clock.
    """
    deadline = time.monotonic() + MENU_S * PATIENCE
    while squeezed("Start Inkstick") not in (seen := text_of_screen(machine, "menu")):
        if time.monotonic() > deadline or machine.reports:
            raise MachineError(f"the menu was not seen; the screen shows: {seen}")
        for _ in range(6):
            machine.press("home")
    machine.press("home", *["down"] * choice)
    machine.screenshot("menu-chosen")
    machine.press("ret")
