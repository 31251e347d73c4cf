"""What the boot menu offers besides starting: checking the medium, starting from memory, safe graphics."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.boot import variants
from tests.boot.conftest import StartMachine
from tests.boot.menu import Choice, choose
from tests.boot.person import ANSWER_S, START_S
from tests.boot.qemu import Firmware
from tests.boot.screen import wait_for_text
from tests.boot.turns import in_turn

CHECK_S = 1800


@pytest.mark.full
def test_the_check_reads_a_good_medium_to_its_end_and_then_starts_the_station(iso: Path, start: StartMachine) -> None:
    machine = start(iso)
    choose(machine, Choice.CHECK)
    machine.wait_for("medium-found", START_S)
    wait_for_text(machine, "正在检查", "Checking", "%", name="checking", limit_s=ANSWER_S)
    machine.wait_for("medium-checked", CHECK_S)
    wait_for_text(machine, "启动盘完好", "The stick is whole", "MiB", name="checked", limit_s=ANSWER_S)
    for layer in variants.layers_of(iso):
        assert machine.reports[f"check-{layer}"] == "good"
    assert machine.reports["check-vmlinuz"] == machine.reports["check-initrd.img"] == "good"
    assert "layers-open" not in machine.reports, "it waits for the person"
    machine.press("ret")
    machine.wait_for("kiosk-painted", START_S)


@pytest.mark.parametrize("name", in_turn(["base", "station"]))
def test_the_check_finds_one_flipped_byte_and_names_the_file(
    iso: Path, start: StartMachine, tmp_path: Path, name: str
) -> None:
    layers = variants.layers_of(iso)
    # In the middle of the layer's data: nothing that starting reads.
    flipped = variants.with_flipped_byte(iso, tmp_path / "flipped.qcow2", layers[name], layers[name].hash_offset // 2)
    machine = start(flipped)
    choose(machine, Choice.CHECK)
    assert machine.wait_for("stopped", CHECK_S) == "MEDIUM-DAMAGED"
    wait_for_text(machine, "MEDIUM-DAMAGED", layers[name].file, "已损坏", name="stopped", limit_s=ANSWER_S)
    found = {layer: machine.reports[f"check-{layer}"] for layer in layers}
    assert found == {layer: "damaged" if layer == name else "good" for layer in layers}
    machine.press("p")
    machine.wait_until_off(ANSWER_S)


@pytest.mark.full
def test_from_memory_the_station_goes_on_when_the_stick_is_pulled_out(iso: Path, start: StartMachine) -> None:
    machine = start(iso)
    choose(machine, Choice.TO_RAM)
    machine.wait_for("layers-open", START_S)
    assert {machine.reports[f"layer-{name}"] for name in variants.layers_of(iso)} == {"memory"}
    wait_for_text(machine, "可以拔出", "may be pulled out", name="in-memory", limit_s=ANSWER_S)
    machine.wait_for("root-switched", START_S)
    machine.pull_out("boot")
    machine.wait_for("engine-ready", START_S)
    wait_for_text(machine, "插入", name="working", limit_s=ANSWER_S)
    assert "stopped" not in machine.reports


@pytest.mark.full
def test_what_does_not_fit_into_memory_stays_on_the_medium_and_is_named(iso: Path, start: StartMachine) -> None:
    layers = variants.layers_of(iso)
    machine = start(iso, memory_mib=2560)
    choose(machine, Choice.TO_RAM)
    machine.wait_for("layers-open", START_S)
    places = {name: machine.reports[f"layer-{name}"] for name in layers}
    assert set(places.values()) == {"memory", "medium"}
    left = [name for name, place in places.items() if place == "medium"]
    wait_for_text(machine, "内存不够", *left, name="partly-in-memory", limit_s=ANSWER_S)
    machine.wait_for("root-switched", START_S)
    machine.pull_out("boot")
    assert machine.wait_for("stopped", START_S) == "MEDIUM-REMOVED"


@pytest.mark.full
@pytest.mark.parametrize("firmware", list(Firmware), ids=lambda firmware: firmware.value)
def test_safe_graphics_shows_the_station_on_the_firmwares_framebuffer(
    iso: Path, start: StartMachine, firmware: Firmware
) -> None:
    machine = start(iso, firmware)
    choose(machine, Choice.SAFE_GRAPHICS)
    machine.wait_for("kiosk-painted", START_S)
    assert machine.reports["framebuffer"] == {Firmware.SEABIOS: "VESA", Firmware.OVMF: "EFI"}[firmware]
    wait_for_text(machine, "插入", name="station", limit_s=ANSWER_S)


@pytest.mark.full
def test_safe_graphics_without_a_framebuffer_says_so_in_text_mode(
    iso: Path, start: StartMachine, tmp_path: Path
) -> None:
    """Kernel and initramfs given by the machine itself: nobody sets a graphics mode."""
    machine = start(iso, more=variants.given_by_the_machine(iso, tmp_path, "nomodeset"))
    assert machine.wait_for("stopped", START_S) == "SCREEN-MISSING"
    wait_for_text(machine, "SCREEN-MISSING", "firmware", name="stopped", limit_s=ANSWER_S)
