"""The ways in which the files come to a machine besides a stick written byte for byte: how people make mediums."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from builder import isofs
from builder.manifest import archive
from tests.boot import variants
from tests.boot.file_systems import exfat_holding
from tests.boot.qemu import Drive, Firmware

ISO_PATH = "/images/墨条 demo.iso"
"""Where a loopback stick keeps the ISO file: with a space, and not in ASCII, as people name files."""

_SECTOR = 512
_FIRST_MIB = 1
_MENU_MIB = 32
_MODULES = (
    *("part_msdos", "fat", "exfat", "ext2", "iso9660", "loopback", "search", "search_fs_file", "linux", "normal"),
    *("configfile", "test", "true", "echo", "minicmd", "halt", "sleep", "all_video", "gfxterm", "font", "regexp"),
    *("password_pbkdf2", "gcry_sha512"),
)
_PARENT_MENU = """\
search --no-floppy --file --set=disk "{on_disk}"
set iso_path="{iso_path}"
export iso_path
loopback loop "($disk){on_disk}"
set root=(loop)
configfile /boot/grub/loopback.cfg
"""
_VENTOY_HOOK = """\
#!/bin/sh
# As Ventoy's hook for initramfs-tools: the ISO file's place on the stick becomes a device, before mountroot.
modprobe dm_mod
while [ ! -b /dev/sda1 ]; do sleep 1; done
echo "0 {sectors} linear /dev/sda {start}" | dmsetup create ventoy --readonly
"""
_VENTOY_START = """\
#!/bin/sh
# As Ventoy: the system's own /init gets three lines before the one that mounts its root.
lines='sh /ventoy/hook.sh\\nexport LIVE_MEDIA=/dev/mapper/ventoy\\nexport LIVEMEDIA=/dev/mapper/ventoy'
sed -i "s|^mountroot\\$|$lines\\n&|" /init
exec /init "$@"
"""


@dataclass(frozen=True)
class Plugged:
    """What `start` wants to know of a medium: its file, what it is plugged in as, further arguments of QEMU's."""

    disk: Path
    drive: Drive | None = Drive.USB
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """A medium of some kind, under a firmware. `make(iso, folder)` makes it."""

    name: str
    firmware: Firmware
    make: Callable[[Path, Path], Plugged]


def cd(iso: Path, folder: Path) -> Plugged:
    return Plugged(iso, Drive.CD)


def cd_with_a_bad_sector(iso: Path, folder: Path, path: str) -> Plugged:
    """The first sector of a file on the disc cannot be read."""
    sector = isofs.files(iso)[path].offset // _SECTOR
    rules = folder / "bad-sector"
    rules.write_text("".join(f'[inject-error]\nevent = "none"\nsector = "{sector + n}"\n' for n in range(4)))
    file_below = f"file.driver=blkdebug,file.config={rules},file.image.filename={iso}"
    drive = f"if=none,id=disk,readonly=on,driver=raw,{file_below}"
    return Plugged(iso, None, ("-drive", drive, "-device", "ide-cd,id=boot,drive=disk,bootindex=1"))


def copied_to_fat32(iso: Path, folder: Path) -> Plugged:
    return Plugged(variants.as_fat32_copy(iso, folder / "copy.img"))


def delete(image: Path, path: str) -> None:
    """From a FAT image."""
    _run("mdel", "-i", str(image), f"::{path}")


def cut_file(image: Path, path: str, folder: Path) -> None:
    """Half of a file on a FAT image stays, as of a copy that was interrupted."""
    part = folder / Path(path).name
    part.unlink(missing_ok=True)
    _run("mcopy", "-i", str(image), f"::{path}", str(part))
    os.truncate(part, part.stat().st_size // 2)
    delete(image, path)
    _run("mcopy", "-i", str(image), str(part), f"::{path}")


def loopback(make: Callable[[Path, Path, str], None], iso_path: str = ISO_PATH) -> Callable[[Path, Path], Plugged]:
    """A stick with a GRUB of its own, which starts the ISO as a file; `make(image, file, path)` is the file system
    of its second partition. `iso_path`: what that GRUB passes on as the file's path.
    """

    def stick(iso: Path, folder: Path) -> Plugged:
        data = folder / "data.img"
        make(data, iso, ISO_PATH)
        menu = folder / "menu.img"
        _menu_partition(menu, folder, _PARENT_MENU.format(on_disk=ISO_PATH, iso_path=iso_path))
        disk = folder / "loopback.img"
        _join(disk, menu, data)
        _install_for_bios(disk, folder)
        data.unlink()
        return Plugged(disk)

    return stick


def ext4_holding(image: Path, file: Path, path: str) -> None:
    tree = image.with_suffix(".tree")
    inside = tree / path.lstrip("/")
    inside.parent.mkdir(parents=True)
    shutil.copyfile(file, inside)
    _sized(image, (file.stat().st_size >> 20) + 96)
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-d", str(tree), str(image))
    shutil.rmtree(tree)


def cut_short(make: Callable[[Path, Path, str], None]) -> Callable[[Path, Path, str], None]:
    """The same file system with half of the ISO file, as a copy that somebody has interrupted."""

    def half(image: Path, file: Path, path: str) -> None:
        short = image.with_suffix(".half")
        shutil.copyfile(file, short)
        os.truncate(short, file.stat().st_size // 2)
        make(image, short, path)
        short.unlink()

    return half


def ventoy(iso: Path, folder: Path) -> Plugged:
    """An environment like Ventoy's: the ISO file lies in one piece on an exFAT partition, /init is patched before
    its line `mountroot`, and the file's sectors are a device of the device mapper. Ventoy's own GRUB is left out:
    the machine gives kernel and initramfs itself.
    """
    data, disk = folder / "data.img", folder / "ventoy.img"
    exfat_holding(data, iso, "/inkstick.iso")
    _join(disk, data)
    start = _place_of(iso, disk)
    data.unlink()
    hook = _VENTOY_HOOK.format(sectors=iso.stat().st_size // _SECTOR, start=start // _SECTOR)
    added = archive({"ventoy/hook.sh": hook.encode(), "ventoy/start": _VENTOY_START.encode()}, mode=0o100755)
    return Plugged(disk, Drive.USB, variants.given_by_the_machine(iso, folder, "rdinit=/ventoy/start", added))


CELLS = (
    Cell("cd-bios", Firmware.SEABIOS, cd),
    Cell("cd-uefi", Firmware.OVMF, cd),
    Cell("fat32-copy-uefi", Firmware.OVMF, copied_to_fat32),
    Cell("iso-on-exfat-bios", Firmware.SEABIOS, loopback(exfat_holding)),
    Cell("iso-on-exfat-uefi", Firmware.OVMF, loopback(exfat_holding)),
    Cell("iso-on-ext4-bios", Firmware.SEABIOS, loopback(ext4_holding)),
    Cell("iso-on-ext4-uefi", Firmware.OVMF, loopback(ext4_holding)),
    Cell("like-ventoy", Firmware.SEABIOS, ventoy),
)


def _menu_partition(image: Path, folder: Path, menu: str) -> None:
    """FAT, with the parent GRUB for UEFI and its menu."""
    efi, text = folder / "BOOTX64.EFI", folder / "parent.cfg"
    _make_grub("x86_64-efi", efi, "part_gpt", "efi_gop")
    text.write_text(menu)
    _sized(image, _MENU_MIB)
    _run("mkfs.vfat", "-F", "16", str(image))
    _run("mmd", "-i", str(image), "::/EFI", "::/EFI/BOOT", "::/boot", "::/boot/grub")
    _run("mcopy", "-i", str(image), str(efi), "::/EFI/BOOT/BOOTX64.EFI")
    _run("mcopy", "-i", str(image), str(text), "::/boot/grub/grub.cfg")


def _make_grub(platform: str, out: Path, *more: str) -> None:
    modules = (*_MODULES, *more)
    _run("grub-mkimage", "-O", platform, "-p", "(,msdos1)/boot/grub", "-o", str(out), *modules)


def _install_for_bios(disk: Path, folder: Path) -> None:
    """What grub-install does on a disk with a gap behind its MBR: boot.img looks for the core in sector 1, and the
    core for the rest of itself right behind.
    """
    core = folder / "core.img"
    _make_grub("i386-pc", core, "biosdisk")
    code = Path("/usr/lib/grub/i386-pc/boot.img").read_bytes()
    assert core.stat().st_size <= (_FIRST_MIB << 20) - _SECTOR
    with disk.open("r+b") as stream:
        stream.write(code[:440])
        stream.seek(_SECTOR)
        stream.write(core.read_bytes())


def _join(disk: Path, *partitions: Path) -> None:
    """A disk with an MBR and these file systems as its partitions, each at a whole mebibyte."""
    start_mib, rows = _FIRST_MIB, ["label: dos"]
    places: list[tuple[int, Path]] = []
    for partition in partitions:
        mib = partition.stat().st_size >> 20
        rows.append(f"start={start_mib}MiB, size={mib}MiB, type={'ef' if len(partitions) > 1 and not places else '7'}")
        places.append((start_mib, partition))
        start_mib += mib
    _sized(disk, start_mib + 1)
    done = subprocess.run(["sfdisk", "--quiet", str(disk)], input="\n".join(rows), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for place, partition in places:
        _run("dd", f"if={partition}", f"of={disk}", "bs=1M", f"seek={place}", "conv=notrunc,sparse")


def _place_of(file: Path, disk: Path) -> int:
    """Where a file lies on a disk, in bytes: in one piece, or this fails."""
    with file.open("rb") as stream:
        stream.seek(16 * 2048)
        heading = stream.read(2048)
    with disk.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = content.find(heading) - 16 * 2048
    assert start > 0 and start % _SECTOR == 0
    _run("cmp", f"--ignore-initial=0:{start}", f"--bytes={file.stat().st_size}", str(file), str(disk))
    return start


def _sized(image: Path, mebibytes: int) -> None:
    with image.open("wb") as stream:
        stream.truncate(mebibytes << 20)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}\n{done.stderr}"
