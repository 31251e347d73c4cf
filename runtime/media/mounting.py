"""blkid, mount and umount, through one function that runs a command."""

from __future__ import annotations

import logging
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from runtime.problems import STICK_READ_ONLY, STICK_UNREADABLE, Problem

log = logging.getLogger(__name__)

_TIMEOUT_S = 120  # a worn stick retries for long; the interpreted test machine is 20 times slower
_SAFE = "nosuid,nodev,noexec"
_OPTIONS: dict[str, tuple[str, ...]] = {
    # Long names are UTF-16 on disk; 8.3 names of old Chinese cameras are in code page 936, whose
    # table (nls_cp936) not every kernel carries: the second line is for those.
    "vfat": ("utf8=1,codepage=936,umask=0077", "utf8=1,umask=0077"),
    "exfat": ("iocharset=utf8,umask=0077",),
    "ntfs": ("iocharset=utf8,umask=0077",),
    "ext2": ("",),
    "ext3": ("",),
    "ext4": ("",),
    "iso9660": ("iocharset=utf8",),
    "udf": ("iocharset=utf8",),
}
_DRIVER = {"ntfs": "ntfs3", "ext2": "ext4", "ext3": "ext4"}
_READ_ONLY = frozenset({"iso9660", "udf"})


@dataclass(frozen=True)
class FileSystem:
    """What blkid found. `kind` is blkid's name for it ("vfat", "ntfs", ...)."""

    kind: str
    label: str
    uuid: str

    @property
    def known(self) -> bool:
        return self.kind in _OPTIONS

    @property
    def writable(self) -> bool:
        return self.kind not in _READ_ONLY


class CommandError(Exception):
    """A command failed; the text is what it wrote to standard error."""


def run(*command: str) -> str:
    """Run a program, answer its output. Raises CommandError if it fails or takes two minutes."""
    log.info("run %s", shlex.join(command))
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandError(str(error)) from error
    if done.returncode != 0:
        log.warning("%s: %s", command[0], done.stderr.strip())
        raise CommandError(done.stderr.strip() or f"{command[0]} ended with {done.returncode}")
    return done.stdout


def probe(device: Path) -> FileSystem | None:
    """The file system on `device`, also an encrypted one; None where blkid finds none."""
    try:
        output = run("blkid", "-o", "export", "-p", str(device))
    except CommandError:
        return None
    found = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    if found.get("USAGE") not in ("filesystem", "crypto"):
        return None
    label = found.get("LABEL", "").replace("\\", "").strip()
    return FileSystem(found.get("TYPE", ""), label, found.get("UUID", ""))


def mount(device: Path, target: Path, filesystem: FileSystem) -> None:
    """Mount read-only, with names as UTF-8. Raises Problem STICK_UNREADABLE."""
    kind = _DRIVER.get(filesystem.kind, filesystem.kind)
    failure = ""
    for options in _OPTIONS.get(filesystem.kind, ()):
        arguments = ",".join(filter(None, ("ro", _SAFE, options)))
        try:
            run("mount", "-t", kind, "-o", arguments, "--", str(device), str(target))
            return
        except CommandError as error:
            failure = str(error)
    log.warning("cannot mount %s: %s", device, failure)
    raise Problem(
        STICK_UNREADABLE,
        f"Its file system ({filesystem.kind or 'none'}) cannot be opened. FAT32, exFAT and NTFS can.",
    )


def remount_writable(target: Path, filesystem: FileSystem) -> None:
    """Raises Problem STICK_READ_ONLY, also for an NTFS that Windows left hibernated or unclean."""
    try:
        run("mount", "-o", f"remount,rw,{_SAFE}", "--", str(target))
    except CommandError as error:
        remedy = "Switch its write protection off, or use another stick."
        if filesystem.kind == "ntfs":
            remedy = "Windows did not shut it down cleanly: eject it there first, or use another stick."
        raise Problem(STICK_READ_ONLY, remedy) from error


def remount_read_only(target: Path) -> None:
    """Best effort, after a failed save."""
    try:
        run("mount", "-o", "remount,ro", "--", str(target))
    except CommandError:
        log.warning("%s stays writable", target)


def unmount(target: Path) -> None:
    """Raises CommandError if something still uses it."""
    run("umount", "--", str(target))


def detach(target: Path) -> None:
    """Take the mount of a stick that is gone out of sight, whatever still holds it open."""
    try:
        run("umount", "--lazy", "--", str(target))
    except CommandError:
        log.warning("%s was not mounted", target)
