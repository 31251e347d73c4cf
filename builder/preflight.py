"""What this machine must have before anything runs: tools and rights. For the rest see builder/checks.py."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from builder.console import out, say
from builder.errors import HostError

BUILD_TOOLS = {
    "mmdebstrap": "mmdebstrap",
    "mksquashfs": "squashfs-tools",
    "veritysetup": "cryptsetup-bin",
    "cryptsetup": "cryptsetup-bin",
    "xorriso": "xorriso",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "dpkg-deb": "dpkg",
    "unshare": "util-linux",
    "zstd": "zstd",
}
BOOT_TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "/usr/share/OVMF/OVMF_CODE_4M.fd": "ovmf"}
_TESSERACT_DATA = "/usr/share/tesseract-ocr/5/tessdata"
TEST_TOOLS = {
    **BUILD_TOOLS,
    **BOOT_TOOLS,
    "qemu-img": "qemu-utils",
    "chromium": "chromium",
    "sfdisk": "fdisk",
    "skopeo": "skopeo",
    "umoci": "umoci",
    "grub-mkimage": "grub-common",
    "/usr/lib/grub/i386-pc/boot.img": "grub-pc-bin",
    "/usr/lib/grub/x86_64-efi/linux.mod": "grub-efi-amd64-bin",
    "shellcheck": "shellcheck",
    "Xvfb": "xvfb",
    "xdotool": "xdotool",
    "xwininfo": "x11-utils",
    "cc": "gcc",
    "/usr/include/stdio.h": "libc6-dev",
    "ssh-keygen": "openssh-client",
    "scanimage": "sane-utils",
    "/usr/lib/x86_64-linux-gnu/sane/libsane-airscan.so.1": "sane-airscan",
    "cupsd": "cups-daemon",
    "ippeveprinter": "cups-ipp-utils",
    "/usr/lib/cups/filter/rastertopwg": "cups",
    "/usr/lib/cups/filter/pdftopdf": "cups-filters-core-drivers",
    "dbus-daemon": "dbus-daemon",
    "mkfs.exfat": "exfatprogs",
    "mount.exfat-fuse": "exfat-fuse",
    "mkntfs": "ntfs-3g",
    "fls": "sleuthkit",
    "systemd-analyze": "systemd",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc": "fonts-noto-cjk",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": "fonts-dejavu-core",
    "/usr/share/fonts/truetype/noto/NotoSansThai-Regular.ttf": "fonts-noto-core",
    "tesseract": "tesseract-ocr",
    **{
        f"{_TESSERACT_DATA}/{language}.traineddata": f"tesseract-ocr-{language}"
        for language in ("osd", "kor", "rus", "ell", "ara", "heb", "tha", "hin")
    },
}
_KEYRING = {"/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring"}


def ensure_tools(tools: dict[str, str], *, yes: bool) -> None:
    """Install what is missing with apt, after saying what and asking; quiet where all is there.

    Raises HostError naming the packages where apt is not to be had, or the answer is no.
    """
    packages = sorted({package for tool, package in {**tools, **_KEYRING}.items() if not _present(tool)})
    if not packages:
        return
    names = " ".join(packages)
    if not _is_debian():
        raise HostError(
            f"this machine lacks: {names} (Debian's names)", hint="install them with this distribution's own tool"
        )
    if os.geteuid() != 0:
        raise HostError(f"this machine lacks: {names}", hint=f"as root: apt-get install {names}")
    say(f"This machine lacks: {names}")
    if not (yes or _agreed()):
        raise HostError("nothing was installed", hint=f"apt-get install {names}, or answer yes (--yes)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
    for argv in (["apt-get", "update", "-q"], install):
        if subprocess.run(argv, env=environment, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            raise HostError(f"apt could not install: {names}", hint=f"try it by hand: {' '.join(argv)}")


def _present(tool: str) -> bool:
    if tool.startswith("/"):
        return Path(tool).exists()
    return shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def _is_debian() -> bool:
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return False
    return "ID=debian" in lines and shutil.which("apt-get") is not None


def _agreed() -> bool:
    if os.environ.get("CI") == "true":
        return True
    try:
        return out.input("Install them with apt now? [Y/n] ").strip().lower() in ("", "y", "yes")
    except EOFError:
        return False


def require_root() -> None:
    """Raises HostError for an ordinary user, before anything is set up."""
    if os.geteuid() != 0:
        raise HostError("the tests need root's rights (loop devices, networks of their own)", hint="run it with sudo")
