"""The layers of a finished build, stacked as the station stacks them, to run programs in. Nothing is booted."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
set -e
mount -t tmpfs inkstick "$ROOM"
mkdir "$ROOM/root"
number=0
stack=
for image in $IMAGES; do
    mkdir "$ROOM/$number"
    mount -t squashfs -o loop,ro "$image" "$ROOM/$number"
    stack="$ROOM/$number${stack:+:$stack}"
    number=$((number + 1))
done
mount -t overlay -o "lowerdir=$stack" inkstick "$ROOM/root"
mount -t proc proc "$ROOM/root/proc"
mount -t tmpfs tmpfs "$ROOM/root/tmp"
mount -t tmpfs tmpfs "$ROOM/root/dev"
mkdir "$ROOM/root/dev/shm"
for node in null:3 zero:5 random:8 urandom:9; do
    mknod -m 666 "$ROOM/root/dev/${node%%:*}" c 1 "${node##*:}"
done
exec chroot "$ROOM/root" "$@"
"""


@dataclass(frozen=True)
class Stack:
    """`images`, bottom first; `room`: an empty folder for the mounts, which are private to each run."""

    images: tuple[Path, ...]
    room: Path

    def run(self, *argv: str, text: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program on the read-only stack, with a writable /tmp, without a network and without a card."""
        own = {
            **{"PATH": "/usr/bin:/usr/sbin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            **{"ROOM": str(self.room), "IMAGES": " ".join(map(str, self.images))},
        }
        return subprocess.run(
            [
                *("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child=KILL"),
                "sh",
                "-c",
                _SCRIPT,
                "sh",
                *argv,
            ],
            env={**own, **environment},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
