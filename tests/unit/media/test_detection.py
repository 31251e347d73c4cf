"""Detection reads sysfs alone, so a made-up sysfs is all it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.media.detection import mounted_elsewhere, volumes

USB = "devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block"
SATA = "devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block"


class Machine:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.sysfs = root / "class/block"
        self.sysfs.mkdir(parents=True)

    def disk(self, name: str, where: str, *partitions: str, removable: bool = False, size: int = 2048) -> Path:
        disk = self._device(self.root / where / name, f"8:{len(list(self.sysfs.iterdir()))}", size)
        (disk / "removable").write_text(f"{int(removable)}\n")
        (disk / "diskseq").write_text("7\n")
        for number, partition in enumerate(partitions, 1):
            path = self._device(disk / partition, f"8:{len(list(self.sysfs.iterdir()))}", size // 2)
            (path / "partition").write_text(f"{number}\n")
        return disk

    def _device(self, path: Path, number: str, size: int) -> Path:
        (path / "holders").mkdir(parents=True)
        (path / "dev").write_text(f"{number}\n")
        (path / "size").write_text(f"{size}\n")
        (path / "ro").write_text("0\n")
        (self.sysfs / path.name).symlink_to(path)
        return path

    def names(self, *in_use: str) -> list[str]:
        return [volume.name for volume in volumes(self.sysfs, frozenset(in_use))]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_stick_is_its_partitions_or_the_whole_disk_without_any(machine: Machine) -> None:
    machine.disk("sdb", USB, "sdb1", "sdb2")
    machine.disk("sdc", USB)
    assert machine.names() == ["sdb1", "sdb2", "sdc"]


def test_an_internal_disk_is_never_a_stick(machine: Machine) -> None:
    machine.disk("sda", SATA, "sda1")
    machine.disk("nvme0n1", "devices/pci0000:00/0000:01:00.0/nvme/nvme0", "nvme0n1p1")
    assert machine.names() == []


def test_a_removable_disk_is_a_stick_though_not_on_usb(machine: Machine) -> None:
    machine.disk("mmcblk0", "devices/platform/sdhci", "mmcblk0p1", removable=True)
    assert machine.names() == ["mmcblk0p1"]


def test_a_folder_named_like_usb_does_not_make_a_disk_one(machine: Machine) -> None:
    machine.disk("sda", "devices/usbish/block")
    assert machine.names() == []


def test_no_partition_of_a_disk_in_use_is_offered(machine: Machine) -> None:
    disk = machine.disk("sdb", USB, "sdb1", "sdb2")
    assert machine.names((disk / "sdb2/dev").read_text().strip()) == []


def test_a_disk_that_carries_a_loop_or_mapped_device_is_not_offered(machine: Machine) -> None:
    disk = machine.disk("sdb", USB, "sdb1")
    (disk / "sdb1/holders/dm-0").mkdir()
    assert machine.names() == []


def test_an_empty_card_reader_and_virtual_disks_are_not_offered(machine: Machine) -> None:
    machine.disk("sdd", USB, removable=True, size=0)
    machine.disk("loop0", USB, removable=True)
    machine.disk("sr0", USB, removable=True)
    assert machine.names() == []


def test_putting_a_stick_back_makes_a_new_id(machine: Machine) -> None:
    disk = machine.disk("sdb", USB, "sdb1")
    (first,) = volumes(machine.sysfs, frozenset())
    (disk / "diskseq").write_text("8\n")
    (second,) = volumes(machine.sysfs, frozenset())
    assert first.id != second.id
    assert first.size_bytes == 1024 * 512


def test_write_protection_of_the_disk_is_seen_on_its_partition(machine: Machine) -> None:
    disk = machine.disk("sdb", USB, "sdb1")
    (disk / "ro").write_text("1\n")
    (volume,) = volumes(machine.sysfs, frozenset())
    assert volume.read_only


def test_our_own_mounts_do_not_make_a_disk_busy() -> None:
    mountinfo = (
        "30 1 8:17 / /run/inkstick/media/sdb1-7 ro - vfat /dev/sdb1 ro\n"
        "31 1 8:1 / /run/inkstick/medium ro - iso9660 /dev/sda1 ro\n"
    )
    assert mounted_elsewhere(mountinfo, Path("/run/inkstick/media")) == {"8:1"}
