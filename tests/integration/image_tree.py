"""The image's layers stacked as on the station, for tests that run its own programs.

All mounts are in a mount namespace of their own, whose one process is ended in the end: nothing stays behind.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder import isofs
from builder.manifest import find_in


@dataclass(frozen=True)
class Tree:
    """`root` is there for `holder` and whoever enters its namespace. What is written to it stays in memory."""

    root: Path
    holder: int

    def enter(self, *argv: str | Path) -> list[str]:
        """The command that runs `argv` where the tree is, outside it."""
        return ["nsenter", f"--target={self.holder}", "--mount", *(str(word) for word in argv)]

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """A program of the image, with the tree as its root. Does not raise."""
        command = self.enter("chroot", self.root, *argv)
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def write(self, path: str, text: str) -> None:
        """`path` as on the station."""
        place = f"{self.root}{path}"
        command = f"mkdir -p {shlex.quote(str(Path(place).parent))} && cat >{shlex.quote(place)}"
        subprocess.run(self.enter("sh", "-c", command), input=text, text=True, check=True)

    def put_on(self, overlay: Path) -> None:
        """Files of a folder over those of the image, as a further layer would bring them."""
        subprocess.run(self.enter("cp", "-a", f"{overlay}/.", f"{self.root}/"), check=True)


@contextmanager
def stacked(iso: Path, room: Path) -> Iterator[Tree]:
    """Mount the ISO's layers, top one over the others, below `room`, an empty folder."""
    script = ["set -e", f"mount -t tmpfs -o mode=0755 room {room}", f"mkdir {room}/upper {room}/work {room}/root"]
    lowers: list[str] = []
    for name, offset, size in _layers(iso):
        place = room / name
        options = f"ro,loop,offset={offset},sizelimit={size}"
        script += [f"mkdir {place}", f"mount -t squashfs -o {options} {shlex.quote(str(iso))} {place}"]
        lowers.insert(0, str(place))
    options = f"lowerdir={':'.join(lowers)},upperdir={room}/upper,workdir={room}/work"
    script += [f"mount -t overlay -o {options} tree {room}/root", "echo stacked", "exec sleep infinity"]
    holder = subprocess.Popen(
        ["unshare", "--mount", "--propagation=private", "sh", "-c", "\n".join(script)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "stacked\n", "the layers could not be mounted"
        yield Tree(room / "root", holder.pid)
    finally:
        holder.kill()
        holder.wait()


def _layers(iso: Path) -> Sequence[tuple[str, int, int]]:
    """Name, offset and size of each layer's file system in the ISO, bottom first; the hash tree is left out."""
    files = isofs.files(iso)
    manifest = find_in(isofs.read(iso, files["/inkstick/boot/initrd.img"]))
    return [
        (layer.name, files[f"/inkstick/layers/{layer.file}"].offset, layer.hash_offset) for layer in manifest.layers
    ]
