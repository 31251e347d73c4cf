"""Which disks are not written to, and what would change that."""

from __future__ import annotations

from dataclasses import dataclass

from builder.console import size
from builder.flash.contents import Contents
from builder.flash.disks import Disk


@dataclass(frozen=True)
class Refusal:
    """Why a disk is left alone."""

    cause: str
    remedy: str


def refusals(disk: Disk, contents: Contents, iso_bytes: int, *, force: bool) -> list[Refusal]:
    """All that speaks against writing an ISO of `iso_bytes` to `disk`.

    `force` lets pass what is not removable, and a vault. What is in use is never written to.
    """
    if disk.disk:
        return [Refusal(f"it is a part of {disk.disk}", f"name the whole stick: /dev/{disk.disk}")]
    if disk.size == 0:
        return [Refusal("there is no medium in it", "put the card in, or plug the stick in anew")]
    if any(use.system for use in disk.uses):
        uses = ", ".join(use.what for use in disk.uses)
        return [Refusal(f"this machine runs from it: {uses}", "name the stick; lsblk lists all disks")]
    found = [Refusal(use.what, use.remedy) for use in disk.uses]
    if disk.read_only:
        found.append(Refusal("it is write-protected", "slide the switch on it"))
    if disk.size < iso_bytes:
        found.append(Refusal(f"it holds {size(disk.size)}, the ISO has {size(iso_bytes)}", "take a larger stick"))
    if not disk.removable and not force:
        found.append(Refusal("it is no removable disk", "if it is the right one nevertheless: --force"))
    if contents.vault and not force:
        remedy = "save what is in it at a station first; then, to lose the vault: --force"
        found.append(Refusal("it holds a vault with a station's history", remedy))
    return found
