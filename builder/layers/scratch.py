"""A scratch copy of a finished layer: an overlay in memory over its image. Its mounts die with the step."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from builder.layers.tree import in_memory
from builder.namespaces import is_users_own

_UNPACKED = 4
"""A layer's tree is at most as many times as large as its image."""


@dataclass(frozen=True)
class Scratch:
    """`root` is the whole system; `upper` holds what differs from `lower`, deletions as 0:0 devices."""

    root: Path
    upper: Path
    lower: Path


def over_image(work: Path, image: Path) -> Scratch:
    """Mount `image` with a writable layer over it, and what programs in it expect of a system."""
    room, lower, root = work / "room", work / "lower", work / "root"
    for folder in (room, root):
        folder.mkdir()
    _mount("-t", "tmpfs", "-o", "mode=0755", "inkstick", room)
    if is_users_own():
        # No loop device there: the image is laid out in memory, or on disk where memory is short.
        with in_memory(lower, _UNPACKED * image.stat().st_size) as place:
            subprocess.run(["unsquashfs", "-q", "-n", "-f", "-d", place, image], check=True)
    else:
        lower.mkdir()
        _mount("-t", "squashfs", "-o", "loop,ro", image, lower)
    (room / "upper").mkdir()
    (room / "work").mkdir()
    # A layer is packed from the upper folder alone: no attribute of overlayfs's own may matter in it.
    plain = "userxattr,index=off" if is_users_own() else "redirect_dir=off,metacopy=off,index=off"
    places = f"lowerdir={lower},upperdir={room}/upper,workdir={room}/work"
    _mount("-t", "overlay", "-o", f"{plain},{places}", "inkstick", root)
    furnish(root)
    return Scratch(root, room / "upper", lower)


def furnish(root: Path) -> None:
    """proc, an empty /tmp, and a /dev of its own: no device of this machine, above all no graphics card."""
    for name in ("proc", "dev", "tmp"):
        (root / name).mkdir(exist_ok=True)
    _mount("-t", "proc", "proc", root / "proc")
    _mount("-t", "tmpfs", "-o", "mode=0755", "inkstick", root / "dev")
    for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
        device = root / "dev" / name
        if is_users_own():
            device.touch()
            _mount("--bind", Path("/dev") / name, device)
        else:
            subprocess.run(["mknod", "-m", "666", device, "c", "1", str(minor)], check=True)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        (root / "dev" / name).symlink_to(f"/proc/self/fd{target}")
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / "tmp")


def chroot(root: Path, *words: str) -> None:
    """Run a program of the image inside it, its command on the log."""
    print("$", *words, flush=True)
    subprocess.run(["chroot", root, *words], check=True)


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)
