"""Boot files that do not depend on the layers above `base`: initramfs, GRUB images, EFI programs.

Runs as a step: `python -m builder.boot.files SPEC`. A scratch copy of the base layer (an overlay in
memory) gets our initramfs-tools files and Debian's GRUB, and makes the files itself: they come from
the locked packages, not from this machine's tools.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from builder.layers.debrepo import unpack
from builder.layers.scratch import chroot, over_image
from builder.layers.tree import clamp_times, copy_normalised
from builder.screens import render_stop_screens

GRUB_MODULES = (
    *("biosdisk", "iso9660", "fat", "exfat", "ntfs", "part_gpt", "part_msdos", "search", "search_fs_file"),
    *("linux", "normal", "configfile", "echo", "test", "true", "regexp", "minicmd", "halt", "reboot"),
    *("all_video", "gfxterm", "gfxmenu", "font", "png", "videoinfo", "loopback", "sleep", "keystatus"),
    *("password_pbkdf2", "gcry_sha512"),
)
_CJK_FONT = "usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"


def main(spec: dict[str, Any]) -> None:
    """Spec: base (its folder), packages, initramfs, messages, modprobe (files, may be none), encrypted, epoch, work,
    out.
    """
    work, out, base = Path(spec["work"]), Path(spec["out"]), Path(spec["base"])
    root = over_image(work, base / "image.squashfs").root
    for row in spec["packages"]:
        unpack(Path(row["content"]), root)
    version = (base / "kernel-version").read_text()
    _install_initramfs_files(Path(spec["initramfs"]), root)
    for file in spec.get("modprobe", []):
        copy_normalised(Path(file), root / "etc/modprobe.d" / Path(file).name)
    screens = root / "usr/share/inkstick/screens"
    screens.mkdir(parents=True)
    render_stop_screens(Path(spec["messages"]), root / _CJK_FONT, screens)
    if spec["encrypted"]:
        (root / "etc/initramfs-tools/inkstick-encrypted").touch()
    clamp_times(root / "etc/initramfs-tools", spec["epoch"])
    chroot(root, "mkinitramfs", "-o", "/tmp/initrd.img", version)
    shutil.copyfile(root / "tmp/initrd.img", out / "initrd.img")
    shutil.copyfile(base / "vmlinuz", out / "vmlinuz")
    _grub(root, out)


def _install_initramfs_files(source: Path, root: Path) -> None:
    """initramfs-tools' own places: scripts under /usr/share, the rest under /etc."""
    for name in ("scripts", "hooks"):
        target = root / ("usr/share/initramfs-tools" if name == "scripts" else "etc/initramfs-tools") / name
        target.mkdir(parents=True, exist_ok=True)
        for file in sorted((source / name).iterdir()):
            shutil.copyfile(file, target / file.name)
            (target / file.name).chmod(0o755)
    for file in sorted(source.iterdir()):
        if file.is_file():
            shutil.copyfile(file, root / "etc/initramfs-tools" / file.name)


def _grub(root: Path, out: Path) -> None:
    """A BIOS core image with all it needs inside, and the signed chain for UEFI as Debian ships it."""
    chroot(root, "grub-mkimage", "-O", "i386-pc-eltorito", "-p", "/boot/grub", "-o", "/tmp/core.img", *GRUB_MODULES)
    shutil.copyfile(root / "tmp/core.img", out / "eltorito.img")
    shutil.copyfile(root / "usr/lib/grub/i386-pc/boot_hybrid.img", out / "boot_hybrid.img")
    shutil.copyfile(root / "usr/share/grub/unicode.pf2", out / "unicode.pf2")
    shutil.copyfile(root / "usr/lib/shim/shimx64.efi.signed", out / "BOOTX64.EFI")
    # gcdx64: Debian's GRUB for optical media and sticks, which looks for its files where it came from.
    shutil.copyfile(root / "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", out / "grubx64.efi")
    shutil.copyfile(root / "usr/lib/shim/mmx64.efi.signed", out / "mmx64.efi")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
