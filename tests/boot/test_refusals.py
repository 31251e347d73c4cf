"""Whatever is not exactly as the builder made it stops the station, which says so on the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.boot import variants
from tests.boot.conftest import StartMachine
from tests.boot.qemu import Firmware, Machine
from tests.boot.screen import text_of_screen, wait_for_text

STOP_S = 900
START_S = 1500
ANSWER_S = 600
MODEL = "/usr/lib/inkstick/python/rapidocr/models/PP-OCRv6_rec_small.onnx"
"""Read by the engine alone, and the engine starts after the first paint."""


def test_a_flipped_byte_that_starting_reads_stops_the_start(iso: Path, start: StartMachine, tmp_path: Path) -> None:
    base = variants.layers_of(iso)["base"]
    machine = start(variants.with_flipped_byte(iso, tmp_path / "flipped.qcow2", base, 64))
    _stops_before_the_kiosk(machine, "LAYER-ALTERED", base.file)


def test_a_removed_layer_stops_the_start(iso: Path, start: StartMachine, tmp_path: Path) -> None:
    station = variants.layers_of(iso)["station"]
    machine = start(variants.without_layer(iso, tmp_path / "removed.iso", station))
    _stops_before_the_kiosk(machine, "LAYER-MISSING", station.file)


def test_an_unlisted_layer_stops_the_start(iso: Path, start: StartMachine, tmp_path: Path) -> None:
    name = "zz-0123456789abcdef.squashfs"
    machine = start(variants.with_unlisted_layer(iso, tmp_path / "added.iso", name))
    _stops_before_the_kiosk(machine, "LAYER-UNLISTED", name)


def test_another_builds_layer_under_the_same_name_stops_the_start(
    iso: Path, start: StartMachine, tmp_path: Path
) -> None:
    station = variants.layers_of(iso)["station"]
    machine = start(variants.with_swapped_layer(iso, tmp_path / "swapped.iso", station))
    _stops_before_the_kiosk(machine, "LAYER-ALTERED", station.file)


def test_damage_met_while_running_stops_the_station(iso: Path, start: StartMachine, tmp_path: Path) -> None:
    python = variants.layers_of(iso)["python"]
    inside = variants.data_of(iso, python, MODEL, tmp_path)
    machine = start(variants.with_flipped_byte(iso, tmp_path / "flipped.qcow2", python, inside + 4096))
    machine.wait_for("kiosk-painted", START_S)
    assert machine.wait_for("stopped", START_S) == "LAYER-ALTERED"
    _says(machine, "LAYER-ALTERED", python.file)
    assert "engine-ready" not in machine.reports
    _obeys(machine)


def test_pulling_the_stick_it_runs_from_stops_the_station(iso: Path, start: StartMachine) -> None:
    machine = start(iso)
    machine.wait_for("gateway-ready", START_S)
    machine.pull_out("boot")
    assert machine.wait_for("stopped", STOP_S) == "MEDIUM-REMOVED"
    _says(machine, "MEDIUM-REMOVED")
    _obeys(machine)


@pytest.mark.full
def test_files_copied_to_fat32_start_with_uefi(iso: Path, start: StartMachine, tmp_path: Path) -> None:
    machine = start(variants.as_fat32_copy(iso, tmp_path / "copy.img"), Firmware.OVMF)
    machine.wait_for("kiosk-painted", START_S)


def _stops_before_the_kiosk(machine: Machine, code: str, detail: str) -> None:
    assert machine.wait_for("stopped", STOP_S) == code
    _says(machine, code, detail)
    assert "root-switched" not in machine.reports
    assert "kiosk-painted" not in machine.reports
    _obeys(machine)


def _says(machine: Machine, code: str, *details: str) -> None:
    """Code, file, and both languages are on the screen."""
    wait_for_text(machine, code, *details, "原因", "What to do", "重新启动", name="stopped", limit_s=ANSWER_S)


def _obeys(machine: Machine) -> None:
    """No key but the two that the screen names does anything; P powers off."""
    before = text_of_screen(machine, "stopped")
    machine.press("ctrl+alt+delete", "ctrl+alt+f2", "alt+sysrq+b", "ctrl+c", "q", "esc")
    assert machine.is_on
    assert text_of_screen(machine, "still-stopped") == before
    machine.press("p")
    machine.wait_until_off(ANSWER_S)
