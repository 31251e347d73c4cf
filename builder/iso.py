"""The ISO: one hybrid file for optical disc, USB stick and copying, BIOS and UEFI."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from builder.boot.menu import arguments, entries
from builder.boot.password import lock
from builder.console import Meter
from builder.keys import ROOT
from builder.manifest import Manifest
from builder.run import run

SUMS = "inkstick/boot/files.sha256"
"""In the form of sha256sum, from the medium's root: what lies outside the layers and may rot as they may."""
LARGEST_FILE_BYTES = (1 << 32) - 1
CERTIFICATE = "EFI/inkstick.cer"
"""Where MOK manager finds it: on a FAT file system, by an ending that it knows. The whole folder goes to the ESP."""

_ESP_GUID = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
_BASIC_DATA_GUID = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
_PERCENT = re.compile(r"([0-9.]+)% done")


@dataclass(frozen=True)
class Medium:
    """What goes onto the ISO. `layers` maps file names on the medium to files in the cache, `papers` names in
    /inkstick/about to what is in them. `certificate`: the one the driver's modules are signed by, DER; None
    where there is no driver. `password_pbkdf2`: what GRUB's menu is locked with, see builder/boot/password.py.
    """

    manifest: Manifest
    layers: dict[str, Path]
    boot: Path
    volume_id: str
    arguments: str
    epoch: int
    papers: dict[str, bytes] = field(default_factory=dict)
    certificate: Path | None = None
    password_pbkdf2: str | None = None


def write_iso(medium: Medium, iso: Path, work: Path, log: Path, meter: Meter) -> None:
    """Write `iso` (overwriting it). Equal mediums give equal bytes.

    Raises StepError if a tool fails. xorriso's arguments follow those of Debian live and Fedora:
    GRUB's hybrid MBR, El Torito for BIOS and UEFI, the EFI system partition appended.
    """
    tree = work / "medium"
    shutil.rmtree(tree, ignore_errors=True)
    _stage(medium, tree)
    esp = _write_esp(medium, tree, work, log)
    _set_times(tree, medium.epoch)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(medium.epoch), "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    stamp = time.strftime("%Y%m%d%H%M%S00", time.gmtime(medium.epoch))
    words: list[str | Path] = [
        *("xorriso", "-report_about", "UPDATE", "-as", "mkisofs", "-iso-level", "3", "-r", "-J", "-joliet-long"),
        *("-full-iso9660-filenames", "-V", medium.volume_id, f"--modification-date={stamp}"),
        *("--set_all_file_dates", stamp),
        *("--grub2-mbr", medium.boot / "boot_hybrid.img", "--mbr-force-bootable", "-partition_offset", "16"),
        *("-append_partition", "2", _ESP_GUID, esp, "-appended_part_as_gpt"),
        *("-iso_mbr_part_type", _BASIC_DATA_GUID, "-c", "boot.cat", "--boot-catalog-hide"),
        *("-b", "boot/grub/eltorito.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"),
        *("--grub2-boot-info", "-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::"),
        *("-no-emul-boot", "-o", iso, "-graft-points", f"/={tree}"),
    ]
    grafts = [f"/inkstick/layers/{name}={file}" for name, file in sorted(medium.layers.items())]
    run(
        [*words, *grafts],
        log=log,
        env=environment,
        hint="is there room on that disk?",
        on_line=lambda line: _progress(line, meter, sum(file.stat().st_size for file in medium.layers.values())),
    )


def _progress(line: str, meter: Meter, total_bytes: int) -> None:
    found = _PERCENT.search(line)
    if found:
        meter(round(float(found[1]) / 100 * total_bytes), total_bytes)


def _stage(medium: Medium, tree: Path) -> None:
    """Everything but the layers, which xorriso takes from where they are."""
    marker = tree / "inkstick/id" / medium.manifest.id
    marker.parent.mkdir(parents=True)
    marker.write_text(medium.manifest.text)
    (tree / "inkstick/about").mkdir()
    for name, content in medium.papers.items():
        (tree / "inkstick/about" / name).write_bytes(content)
    (tree / "inkstick/boot").mkdir()
    shutil.copyfile(medium.boot / "vmlinuz", tree / "inkstick/boot/vmlinuz")
    with (tree / "inkstick/boot/initrd.img").open("wb") as initrd:
        content = (medium.boot / "initrd.img").read_bytes()
        # The kernel looks for a further archive at the next multiple of four bytes.
        initrd.write(content + bytes(-len(content) % 4) + medium.manifest.cpio)
    (tree / "boot/grub").mkdir(parents=True)
    (tree / "boot/grub/grub.cfg").write_text(render("menu.cfg.j2", medium))
    (tree / "boot/grub/loopback.cfg").write_text(render("loopback.cfg.j2", medium))
    for name in ("eltorito.img", "unicode.pf2"):
        shutil.copyfile(medium.boot / name, tree / "boot/grub" / name)
    efi = tree / "EFI/BOOT"
    efi.mkdir(parents=True)
    for name in ("BOOTX64.EFI", "grubx64.efi", "mmx64.efi"):
        shutil.copyfile(medium.boot / name, efi / name)
    if medium.certificate:
        shutil.copyfile(medium.certificate, tree / CERTIFICATE)
    _write_sums(tree)


def _write_sums(tree: Path) -> None:
    """For the check of a medium: the files that no hash tree covers. xorriso patches the BIOS image, so not that."""
    files = [file for folder in ("EFI", "boot", "inkstick/boot") for file in (tree / folder).rglob("*")]
    names = sorted(str(file.relative_to(tree)) for file in files if file.is_file() and file.name != "eltorito.img")
    rows = [f"{hashlib.sha256((tree / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (tree / SUMS).write_text("".join(rows))


def render(template: str, medium: Medium) -> str:
    """A file for GRUB, from its template in builder/boot."""
    environment = Environment(
        loader=FileSystemLoader(ROOT / "builder/boot"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template(template).render(
        id=medium.manifest.id,
        version=medium.manifest.version,
        entries=entries(medium.manifest.version),
        arguments=arguments,
        shared=medium.arguments,
        found_by="",
        has_certificate=medium.certificate is not None,
        lock=lock(medium.manifest.id, medium.password_pbkdf2),
    )


def _write_esp(medium: Medium, tree: Path, work: Path, log: Path) -> Path:
    """A FAT image with the EFI programs and a menu that leads to the medium's own."""
    esp = work / "esp.img"
    room = work / "esp"
    shutil.rmtree(room, ignore_errors=True)
    shutil.copytree(tree / "EFI", room / "EFI")
    (room / "boot/grub").mkdir(parents=True)
    (room / "boot/grub/grub.cfg").write_text(render("esp.cfg.j2", medium))
    _set_times(room, medium.epoch)
    content = sum(file.stat().st_size for file in room.rglob("*") if file.is_file())
    # FAT16, which every firmware reads, needs at least 4085 clusters: 16 MiB is safely above.
    mebibytes = max(16, content // (1 << 20) + 3)
    esp.unlink(missing_ok=True)
    subprocess.run(["truncate", f"--size={mebibytes}M", esp], check=True)
    serial = medium.manifest.id[:8]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(medium.epoch), "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    run(["mkfs.vfat", "--invariant", "-F", "16", "-i", serial, "-n", "INKSTICKEFI", esp], log=log, env=environment)
    # One folder after the other, in the order of their names: `mcopy -s` goes by the order in which the file system
    # of this machine happens to list them, and no two file systems list alike.
    folders = [path for path in sorted(room.rglob("*")) if path.is_dir()]
    run(["mmd", "-i", esp, *(f"::/{folder.relative_to(room)}" for folder in folders)], log=log, env=environment)
    for folder in folders:
        files = [path for path in sorted(folder.iterdir()) if path.is_file()]
        if files:
            place = f"::/{folder.relative_to(room)}"
            run(["mcopy", "-m", "-i", esp, *files, place], log=log, env=environment)
    return esp


def _set_times(tree: Path, epoch: int) -> None:
    for path in (tree, *tree.rglob("*")):
        os.utime(path, (epoch, epoch))
        path.chmod(0o755 if path.is_dir() else 0o644)
