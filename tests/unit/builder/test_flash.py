"""What is refused, what a lying stick is told by, and what the delta mode leaves alone.

Sticks that wrap around or drop writes are made of memory here: no kernel feature of a test machine makes one.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.errors import FlashError
from builder.flash.contents import Contents
from builder.flash.disks import Disk, Kernel, Use
from builder.flash.drive import CHUNK
from builder.flash.honesty import places
from builder.flash.refusals import refusals
from builder.flash.writing import EXTENT, HEAD, Written, write_stick

MIB = 1 << 20
STICK = Disk(name="sdb", size=64 * MIB, block=512, removable=True)


class Memory:
    """An honest stick."""

    block = 512

    def __init__(self, size: int) -> None:
        self.size = size
        self.content = bytearray(random.Random("old").randbytes(MIB) * (size // MIB) + bytes(size % MIB))
        self.written: list[tuple[int, int]] = []

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self.content[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        assert offset % self.block == 0 and len(data) % self.block == 0 and offset + len(data) <= self.size
        self.written.append((offset, len(data)))
        self.content[offset : offset + len(data)] = data

    def flush(self) -> None:
        pass


class Wrapping(Memory):
    """Claims `size` bytes and has `real`: what is past them lies over the beginning."""

    def __init__(self, size: int, real: int) -> None:
        super().__init__(real)
        self.size = size
        self.real = real

    def read(self, offset: int, length: int) -> bytes:
        start = offset % self.real
        rest = max(0, start + length - self.real)
        return bytes(self.content[start : start + length - rest] + self.content[:rest])

    def write(self, offset: int, data: bytes) -> None:
        for n in range(0, len(data), self.block):
            place = (offset + n) % self.real
            self.content[place : place + self.block] = data[n : n + self.block]


class Dropping(Memory):
    """Takes everything and keeps nothing past `real`."""

    def __init__(self, size: int, real: int) -> None:
        super().__init__(size)
        self.real = real

    def write(self, offset: int, data: bytes) -> None:
        super().write(offset, data)
        self.content[self.real :] = bytes(self.size - self.real)


class Worn(Memory):
    """One bit of one byte never changes."""

    def read(self, offset: int, length: int) -> bytes:
        data = bytearray(super().read(offset, length))
        if offset <= 5 * MIB < offset + length:
            data[5 * MIB - offset] |= 0x80
        return bytes(data)


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    """Six MiB and an odd 2048 bytes."""
    file = tmp_path / "inkstick.iso"
    file.write_bytes(random.Random("iso").randbytes(5 * MIB) + bytes(MIB + 2048))
    return file


def write(drive: Memory, iso: Path, *, delta: bool = False) -> Written:
    return write_stick(drive, iso, delta=delta, tell=lambda *_: None, stopped=lambda: False)


def test_the_stick_begins_with_the_iso_and_keeps_the_rest(iso: Path) -> None:
    drive = Memory(32 * MIB)
    before = bytes(drive.content)
    written = write(drive, iso)
    wanted = iso.read_bytes()
    assert written == Written(len(wanted), len(wanted))
    assert bytes(drive.content[: len(wanted)]) == wanted
    assert bytes(drive.content[len(wanted) :]) == before[len(wanted) :], "marks were left behind"


def test_a_stick_as_large_as_the_iso_is_large_enough(iso: Path) -> None:
    drive = Memory(iso.stat().st_size)
    write(drive, iso)
    assert bytes(drive.content) == iso.read_bytes()


def test_blocks_of_4096_bytes_are_filled_up(iso: Path) -> None:
    drive = Memory(32 * MIB)
    drive.block = 4096
    write(drive, iso)
    assert bytes(drive.content[: iso.stat().st_size]) == iso.read_bytes()


def test_delta_writes_what_differs_and_no_more(iso: Path) -> None:
    drive = Memory(32 * MIB)
    write(drive, iso)
    changed = bytearray(iso.read_bytes())
    changed[CHUNK + 3] ^= 1
    changed[2 * MIB] ^= 1
    iso.write_bytes(changed)
    written = write(drive, iso, delta=True)
    assert bytes(drive.content[: len(changed)]) == changed
    assert written.bytes == HEAD + 2 * EXTENT


def test_delta_on_a_stick_with_other_contents_is_right_as_well(iso: Path) -> None:
    drive = Memory(32 * MIB)
    write(drive, iso, delta=True)
    assert bytes(drive.content[: iso.stat().st_size]) == iso.read_bytes()


@pytest.mark.parametrize("delta", [False, True])
@pytest.mark.parametrize(
    "drive",
    [
        pytest.param(lambda: Wrapping(64 * MIB, 16 * MIB), id="wraps at a power of two"),
        pytest.param(lambda: Wrapping(64 * MIB, 15 * MIB + 512 * 777), id="wraps elsewhere"),
        pytest.param(lambda: Dropping(64 * MIB, 16 * MIB), id="drops"),
        pytest.param(lambda: Dropping(64 * MIB, 63 * MIB), id="drops the last MiB"),
    ],
)
def test_a_stick_that_lies_about_its_size_is_caught(drive: Callable[[], Memory], iso: Path, delta: bool) -> None:
    with pytest.raises(FlashError, match="lies about its size") as caught:
        write(drive(), iso, delta=delta)
    assert "throw it away" in caught.value.hint


def test_a_worn_stick_is_told_by_the_byte(iso: Path) -> None:
    drive = Worn(32 * MIB)
    with pytest.raises(FlashError, match=f"byte {5 * MIB:,} reads back as another"):
        write(drive, iso)


def test_what_was_interrupted_starts_no_machine_and_can_be_mended(iso: Path) -> None:
    drive = Memory(32 * MIB)
    with pytest.raises(FlashError, match="interrupted"):
        write_stick(
            drive,
            iso,
            delta=False,
            tell=lambda *_: None,
            stopped=lambda: any(n == CHUNK - HEAD for _, n in drive.written),
        )
    assert drive.read(0, HEAD) == bytes(HEAD)
    write(drive, iso, delta=True)
    assert bytes(drive.content[: iso.stat().st_size]) == iso.read_bytes()


def test_the_copy_of_an_old_partition_table_goes(iso: Path) -> None:
    drive = Memory(32 * MIB)
    drive.content[-512:] = b"EFI PART" + bytes(504)
    write(drive, iso)
    assert bytes(drive.content[-512:]) == bytes(512)


@pytest.mark.parametrize("size", [MIB, 31_457_280_000, 64 * MIB + 512])
def test_marks_cover_powers_of_two_and_the_very_end(size: int) -> None:
    found = places(size)
    assert found[0] == 0 and size - 8192 < found[-1] <= size - 4096
    assert all(place in found for place in (1 << n for n in range(20, 60)) if place + 4096 <= size)


@pytest.mark.parametrize(
    ("disk", "contents", "cause", "forced"),
    [
        (Disk("sdb1", 64 * MIB, 512, removable=True, disk="sdb"), Contents(), "part of sdb", False),
        (Disk("sdb", 0, 512, removable=True), Contents(), "no medium", False),
        (Disk("sdb", MIB, 512, removable=True), Contents(), "holds 1.0 MiB", False),
        (Disk("sdb", 64 * MIB, 512, removable=True, read_only=True), Contents(), "write-protected", False),
        (
            Disk("sdb", 64 * MIB, 512, removable=True, uses=(Use("sdb1 is mounted at /mnt", "umount /mnt"),)),
            Contents(),
            "mounted at /mnt",
            False,
        ),
        (
            Disk("sdb", 64 * MIB, 512, removable=True, uses=(Use("sdb1 is mounted at /", "", system=True),)),
            Contents(),
            "this machine runs from it",
            False,
        ),
        (Disk("sdb", 64 * MIB, 512), Contents(), "no removable disk", True),
        (STICK, Contents(vault=True), "vault", True),
    ],
)
def test_refusals_and_which_of_them_force_lets_pass(disk: Disk, contents: Contents, cause: str, forced: bool) -> None:
    (found,) = refusals(disk, contents, 8 * MIB, force=False)
    assert cause in found.cause and found.remedy
    assert bool(refusals(disk, contents, 8 * MIB, force=True)) is not forced


def test_a_free_stick_is_not_refused() -> None:
    assert refusals(STICK, Contents(("OLD",)), 8 * MIB, force=False) == []


class FakeKernel:
    """A machine with a system disk under LVM, and a USB stick."""

    def __init__(self, room: Path) -> None:
        self.room = room
        stick = "devices/usb1/1-2/host0/block/sdb"
        self.file(f"{stick}/size", "131072")
        self.file(f"{stick}/dev", "8:16")
        self.file(f"{stick}/removable", "1")
        self.file(f"{stick}/queue/logical_block_size", "512")
        self.file("devices/usb1/1-2/serial", "4C530001")
        self.file("devices/usb1/1-2/host0/target/vendor", "SanDisk ")
        self.file("devices/usb1/1-2/host0/target/model", "Ultra Fit")
        (room / "sys" / stick / "device").symlink_to("../../target")
        self.file(f"{stick}/sdb1/partition", "1")
        self.file(f"{stick}/sdb1/dev", "8:17")
        disk = "devices/ata1/block/sda"
        self.file(f"{disk}/size", "1000000")
        self.file(f"{disk}/dev", "8:0")
        self.file(f"{disk}/removable", "0")
        self.file(f"{disk}/sda2/partition", "2")
        self.file(f"{disk}/sda2/dev", "8:2")
        (room / "sys" / disk / "sda2/holders").mkdir(parents=True)
        (room / "sys" / disk / "sda2/holders/dm-0").symlink_to(room / "sys/devices/virtual/block/dm-0")
        self.file("devices/virtual/block/dm-0/dev", "254:0")
        self.file("devices/virtual/block/dm-0/dm/name", "vg-root")
        for place in (stick, f"{stick}/sdb1", disk, f"{disk}/sda2", "devices/virtual/block/dm-0"):
            link = room / "sys/class/block" / Path(place).name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(room / "sys" / place)
        self.mounts("25 1 254:0 / / rw - ext4 /dev/mapper/vg-root rw")
        (room / "proc/swaps").write_text("Filename Type Size Used Priority\n")

    def file(self, name: str, text: str) -> None:
        place = self.room / "sys" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{text}\n")

    def mounts(self, *lines: str) -> None:
        (self.room / "proc/self").mkdir(parents=True, exist_ok=True)
        (self.room / "proc/self/mountinfo").write_text("\n".join(lines))

    @property
    def kernel(self) -> Kernel:
        return Kernel(self.room / "sys", self.room / "proc", self.room / "udev")


@pytest.fixture
def machine(tmp_path: Path) -> FakeKernel:
    return FakeKernel(tmp_path)


def test_a_stick_is_described_with_model_size_and_serial(machine: FakeKernel) -> None:
    disk = machine.kernel.describe("sdb")
    assert (disk.size, disk.model, disk.serial, disk.transport) == (64 * MIB, "SanDisk Ultra Fit", "4C530001", "USB")
    assert disk.removable and disk.uses == () and machine.kernel.removable_disks() == ["/dev/sdb"]
    assert machine.kernel.describe("sdb1").disk == "sdb"


def test_a_mounted_partition_is_found(machine: FakeKernel) -> None:
    machine.mounts(r"40 25 8:17 / /media/My\040stick rw - vfat /dev/sdb1 rw")
    (use,) = machine.kernel.describe("sdb").uses
    assert use.what == "sdb1 is mounted at /media/My stick" and not use.system


def test_a_system_under_lvm_is_a_system(machine: FakeKernel) -> None:
    uses = machine.kernel.describe("sda").uses
    assert uses[0].what == "sda2 is part of vg-root" and all(use.system for use in uses)


def test_swap_makes_a_system_disk(machine: FakeKernel) -> None:
    (machine.room / "proc/swaps").write_text("Filename Type\n/dev/sdb1 partition 1 0 -2\n")
    (use,) = machine.kernel.describe("sdb").uses
    assert use.system and use.remedy == "swapoff /dev/sdb1"


def test_the_disk_that_this_machine_runs_from_is_refused_even_by_force(machine: FakeKernel) -> None:
    """This very machine; where its root lies on no block device, as in a container, one made of files."""
    number = os.stat("/").st_dev
    link = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    disk = Kernel().describe(link.resolve().name) if link.exists() else machine.kernel.describe("sda")
    found = refusals(disk, Contents(), MIB, force=True)
    assert found and ("runs from it" in found[0].cause or "part of" in found[0].cause)
