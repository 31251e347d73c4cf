"""Any medium: a CD, a copy of the files on FAT32, an ISO file on a disk, Ventoy; and what is wrong with one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot import mediums, variants
from tests.boot.conftest import StartMachine
from tests.boot.file_systems import exfat_holding
from tests.boot.mediums import CELLS, Cell, Plugged
from tests.boot.person import ANSWER_S
from tests.boot.qemu import Firmware, Machine
from tests.boot.screen import wait_for_text
from tests.boot.turns import in_turn

FOUND_S = 900
STOP_S = 900


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Emptied afterwards: a medium is as large as the ISO."""
    yield tmp_path
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("cell", in_turn(CELLS), ids=lambda cell: cell.name)
def test_the_medium_is_found(iso: Path, start: StartMachine, folder: Path, cell: Cell) -> None:
    plugged = cell.make(iso, folder)
    machine = start(plugged.disk, cell.firmware, drive=plugged.drive, more=plugged.more)
    machine.wait_for("medium-found", FOUND_S)
    machine.wait_for("layers-open", FOUND_S)


@pytest.mark.full
def test_an_iso_file_of_another_name_is_missed_by_its_name(iso: Path, start: StartMachine, folder: Path) -> None:
    make = mediums.loopback(exfat_holding, iso_path="/images/renamed.iso")
    _stops(start, make(iso, folder), "ISO-NOT-FOUND", "/images/renamed.iso", "已改名")


@pytest.mark.full
def test_an_iso_file_that_was_copied_by_half_is_named(iso: Path, start: StartMachine, folder: Path) -> None:
    """Kernel and initramfs, as they lie in front, are read by GRUB all the same."""
    make = mediums.loopback(mediums.cut_short(exfat_holding))
    _stops(start, make(iso, folder), "ISO-INVALID", "/images/", "不完整")


@pytest.mark.full
def test_a_copy_without_one_layer_names_it(iso: Path, start: StartMachine, folder: Path) -> None:
    layer = variants.layers_of(iso)["python"]
    plugged = mediums.copied_to_fat32(iso, folder)
    mediums.delete(plugged.disk, f"/inkstick/layers/{layer.file}")
    _stops(start, plugged, "LAYER-MISSING", layer.file, firmware=Firmware.OVMF)


@pytest.mark.full
def test_a_copy_with_half_a_layer_names_it(iso: Path, start: StartMachine, folder: Path) -> None:
    layer = variants.layers_of(iso)["station"]
    plugged = mediums.copied_to_fat32(iso, folder)
    mediums.cut_file(plugged.disk, f"/inkstick/layers/{layer.file}", folder)
    _stops(start, plugged, "LAYER-SIZE", layer.file, firmware=Firmware.OVMF)


@pytest.mark.full
def test_pulling_out_a_stick_like_ventoys_is_seen_below_its_mapped_device(
    iso: Path, start: StartMachine, folder: Path
) -> None:
    plugged = mediums.ventoy(iso, folder)
    machine = start(plugged.disk, more=plugged.more)
    machine.wait_for("root-switched", FOUND_S)
    machine.pull_out("boot")
    assert machine.wait_for("stopped", STOP_S) == "MEDIUM-REMOVED"


@pytest.mark.full
def test_a_scratched_cd_is_told_from_an_altered_one(iso: Path, start: StartMachine, folder: Path) -> None:
    layer = variants.layers_of(iso)["station"]
    plugged = mediums.cd_with_a_bad_sector(iso, folder, f"/inkstick/layers/{layer.file}")
    _stops(start, plugged, "MEDIUM-UNREADABLE", layer.file)


def _stops(
    start: StartMachine, plugged: Plugged, code: str, *words: str, firmware: Firmware = Firmware.SEABIOS
) -> None:
    machine: Machine = start(plugged.disk, firmware, drive=plugged.drive, more=plugged.more)
    assert machine.wait_for("stopped", STOP_S) == code
    wait_for_text(machine, code, *words, name="stopped", limit_s=ANSWER_S)
    assert "layers-open" not in machine.reports
