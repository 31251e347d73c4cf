"""`build.py flash`: look at the sticks, have them named, write them, tell how each came out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from builder.console import duration, err, out, say, size, step
from builder.errors import FlashError, HostError, VerifyError
from builder.flash.contents import Contents, contents_of
from builder.flash.disks import Disk, Kernel
from builder.flash.many import Outcome, write_all
from builder.flash.progress import shown
from builder.flash.refusals import refusals
from builder.inputs.store import sha256_of

_DESCRIPTOR = 16 * 2048 + 1
"""Where an ISO 9660 file system says that it is one."""
_BOOT_SECTOR = 512


def flash(iso: Path, sticks: Sequence[Path], *, delta: bool, force: bool, named: Sequence[str] | None) -> None:
    """Write `iso` onto `sticks`. `named`: their names as the user repeated them; asked for where None.

    Raises HostError, VerifyError or FlashError before anything is written, FlashError after all where one failed.
    """
    if os.geteuid() != 0:
        raise HostError("writing to disks needs root's rights", hint="run it with sudo")
    _check_iso(iso)
    disks = look_at(sticks, iso.stat().st_size, force=force)
    _confirm([disk.name for disk in disks], named)
    with shown([disk.name for disk in disks]) as show:
        outcomes = write_all(disks, iso, delta=delta, show=show)
    _tell(outcomes)


def _check_iso(iso: Path) -> None:
    """A bootable ISO, and the one its checksum file was made for."""
    try:
        with iso.open("rb") as file:
            head = file.read(_DESCRIPTOR + 5)
    except OSError as error:
        raise HostError(f"{iso} cannot be read: {error.strerror}", hint="dist/ has the ISOs that were built") from None
    if head[_DESCRIPTOR:] != b"CD001" or head[_BOOT_SECTOR - 2 : _BOOT_SECTOR] != b"\x55\xaa":
        raise VerifyError(f"{iso} is no ISO that starts from a stick", hint="give the path of one, as in dist/")
    beside = iso.with_name(f"{iso.name}.sha256")
    if not beside.is_file():
        return
    with step(f"check {iso.name} against its checksum"):
        right = sha256_of(iso) == beside.read_text().split()[0]
    if not right:
        raise VerifyError(f"{iso} is not the file that {beside.name} was made for", hint="build or copy it again")


def look_at(sticks: Sequence[Path], iso_bytes: int, *, force: bool) -> list[Disk]:
    """The disks behind `sticks`, shown. Raises FlashError, with all that speaks against any of them."""
    kernel = Kernel()
    disks: dict[str, Disk] = {}
    against: list[str] = []
    remedies: dict[str, None] = {}
    for path in sticks:
        name = kernel.find(path)
        disk, contents = kernel.describe(name), contents_of(name)
        disks[name] = disk
        say(f"  {_described(disk, contents)}")
        for refusal in refusals(disk, contents, iso_bytes, force=force):
            against.append(f"{name}: {refusal.cause}")
            remedies[f"{name}: {refusal.remedy}"] = None
    if against:
        raise FlashError("nothing was written: " + "\n  ".join(against), hint="\n  ".join(remedies))
    return list(disks.values())


def _described(disk: Disk, contents: Contents) -> str:
    words = [f"{disk.name:<8}", size(disk.size), disk.model or "unknown model"]
    words += [f"serial {disk.serial}" if disk.serial else "no serial number", disk.transport]
    words.append(f"on it: {', '.join(contents.labels)}" if contents.labels else "on it: nothing recognised")
    if contents.vault:
        words.append("A VAULT")
    return "  ".join(filter(None, words))


def _confirm(names: list[str], named: Sequence[str] | None) -> None:
    """Raises FlashError unless exactly these names come back."""
    if named is None:
        if not sys.stdin.isatty():
            hint = " ".join(f"--yes-i-mean {name}" for name in names)
            raise FlashError("nothing was written: there is no terminal to ask on", hint=hint)
        say("All that is on them will be lost. To go on, type the name, or with several all names:")
        try:
            named = out.input("> ").split()
        except EOFError:
            named = []
    if {Path(name).name for name in named} != set(names):
        raise FlashError(
            f"nothing was written: {' '.join(named) or 'nothing'} was answered, {' '.join(names)} would be erased",
            hint="type the names as they are shown, all of them and no other",
        )


def _tell(outcomes: Sequence[Outcome]) -> None:
    failed = [outcome for outcome in outcomes if outcome.error]
    for outcome in outcomes:
        name = outcome.disk.name
        if outcome.error:
            err.print(f"[bold red]{name}: failed:[/] ", end="")
            err.print(f"{outcome.error.message}\n  remedy: {outcome.error.hint}", markup=False)
        elif outcome.written:
            amount = f"{size(outcome.written.bytes)} of {size(outcome.written.total)} written, all read back"
            say(f"{name}: right; {amount}, in {duration(outcome.seconds)}; it can be pulled out")
            if not outcome.reread:
                say(f"{name}: this machine still sees its old partitions: plug it in anew before you use it here")
    if failed:
        names = ", ".join(outcome.disk.name for outcome in failed)
        raise FlashError(
            f"{len(failed)} of {len(outcomes)} sticks failed: {names}",
            hint="the others are right; what failed starts no machine",
        )
