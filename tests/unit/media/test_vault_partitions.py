"""A vault behind a hybrid ISO: made by the real sfdisk, on a stick as `dd` leaves it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from builder.iso import Medium, write_iso
from builder.manifest import Manifest
from runtime.media import partitions
from runtime.media.mounting import CommandError
from runtime.media.vault_wire import LABEL, LEAST_BYTES

MIB = 1024 * 1024
STICK_BYTES = 400 * MIB
LAYER = bytes(range(256)) * 4096 * 4


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By the builder's own step, with stand-ins for what boots."""
    room = tmp_path_factory.mktemp("iso")
    boot = room / "boot"
    boot.mkdir()
    for name in ("vmlinuz", "initrd.img", "BOOTX64.EFI", "grubx64.efi", "mmx64.efi", "unicode.pf2"):
        (boot / name).write_bytes(name.encode() * 1000)
    (boot / "eltorito.img").write_bytes(b"\x90" * 8192)
    (boot / "boot_hybrid.img").write_bytes(b"\xeb\x63" + b"\x90" * 510)
    layer = room / "layer.img"
    layer.write_bytes(LAYER)
    manifest = Manifest("demo", "0.1.0", ())
    medium = Medium(manifest, {"layer.img": layer}, boot, "INKTEST", "quiet", 1_700_000_000)
    path = room / "test.iso"
    write_iso(medium, path, room / "work", room / "log", lambda *_: None)
    return path


@pytest.fixture
def stick(iso: Path, tmp_path: Path) -> Path:
    image = tmp_path / "stick.img"
    image.write_bytes(iso.read_bytes())
    os.truncate(image, STICK_BYTES)
    return image


def test_the_isos_own_bytes_stay_but_for_the_table_that_names_the_vault(iso: Path, stick: Path) -> None:
    before = iso.read_bytes()
    extent = partitions.append_vault(stick, STICK_BYTES)
    after = stick.read_bytes()[: len(before)]
    changed = {at // 512 for at in range(0, len(before)) if before[at] != after[at]} if before != after else set()
    assert changed, "the table must name the vault"
    assert max(changed) < 64, "GPT header and entries, nothing of a file"
    assert extent.start >= len(before)
    assert extent.start % MIB == 0
    assert extent.start + extent.size <= STICK_BYTES - 63 * 512


def test_the_mbr_stays_bootable(iso: Path, stick: Path) -> None:
    partitions.append_vault(stick, STICK_BYTES)
    old, new = iso.read_bytes()[:512], stick.read_bytes()[:512]
    differ = [at for at in range(512) if old[at] != new[at]]
    assert all(446 + 12 <= at < 446 + 16 for at in differ), "only how long the protective entry is"
    assert new[462] == 0x80, "the active flag that some BIOSes look for"
    assert int.from_bytes(new[458:462], "little") == STICK_BYTES // 512 - 1


def test_other_programs_find_table_and_files_in_order(stick: Path) -> None:
    extent = partitions.append_vault(stick, STICK_BYTES)
    verified = subprocess.run(["sfdisk", "--verify", stick], capture_output=True, text=True)
    assert verified.returncode == 0
    assert "No errors detected" in verified.stdout + verified.stderr
    table = json.loads(subprocess.run(["sfdisk", "--json", stick], capture_output=True, check=True).stdout)
    last = table["partitiontable"]["partitions"][-1]
    assert (last["name"], last["start"] * 512, last["size"] * 512) == (LABEL, extent.start, extent.size)
    report = subprocess.run(
        ["xorriso", "-indev", stick, "-report_el_torito", "plain", "-find", "/inkstick/layers", "-exec", "lsdl"],
        capture_output=True,
        text=True,
    )
    text = report.stdout + report.stderr
    assert "El Torito boot img :   1  BIOS" in text
    assert "El Torito boot img :   2  UEFI" in text
    assert "layer.img" in text


def test_a_vault_is_found_dropped_and_made_again_at_the_same_place(stick: Path) -> None:
    assert partitions.vault_in(stick) is None
    extent = partitions.append_vault(stick, STICK_BYTES)
    assert partitions.vault_in(stick) == extent
    partitions.drop_vault(stick)
    assert partitions.vault_in(stick) is None
    assert partitions.free_end(stick, STICK_BYTES) == extent
    assert partitions.append_vault(stick, STICK_BYTES) == extent
    assert stick.read_bytes()[462] == 0x80


def test_a_stick_with_no_room_is_refused_and_unchanged(iso: Path, tmp_path: Path) -> None:
    image = tmp_path / "small.img"
    image.write_bytes(iso.read_bytes())
    size = iso.stat().st_size + LEAST_BYTES // 2
    size -= size % 512
    os.truncate(image, size)
    before = image.read_bytes()
    assert partitions.free_end(image, size) is None
    with pytest.raises(CommandError, match="no room"):
        partitions.append_vault(image, size)
    assert image.read_bytes() == before


def test_another_stick_becomes_one_partition_and_forgets_its_files(tmp_path: Path) -> None:
    image = tmp_path / "other.img"
    image.touch()
    os.truncate(image, STICK_BYTES)
    subprocess.run(["mkfs.vfat", "-F", "32", "-n", "SCANS", image], check=True, capture_output=True)
    partitions.whole_for_vault(image)
    found = partitions.vault_in(image)
    assert found is not None
    assert found.size > STICK_BYTES - 4 * MIB
    probed = subprocess.run(["blkid", "-p", "-o", "export", image], capture_output=True, text=True).stdout
    assert "SCANS" not in probed
    assert "PTTYPE=gpt" in probed


def test_a_stick_without_a_table_has_no_free_end(tmp_path: Path) -> None:
    image = tmp_path / "plain.img"
    image.touch()
    os.truncate(image, STICK_BYTES)
    with pytest.raises(CommandError):
        partitions.free_end(image, STICK_BYTES)
