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

_FIRST_PROCESS = _SCRIPT.replace(
    "exec chroot",
    """
mount -t sysfs -o ro sysfs "$ROOM/root/sys"
mount -t cgroup2 cgroup2 "$ROOM/root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$ROOM/root/run"
mount -t tmpfs tmpfs "$ROOM/root/var"
cp -r "$RUN/." "$ROOM/root/run"
exec chroot""",
)


@dataclass(frozen=True)
class Stack:
    """`images`, bottom first; `room`: an empty folder for the mounts, which are private to each run."""

    images: tuple[Path, ...]
    room: Path

    def command_of_systemd(self, unit: str, run: Path) -> list[str]:
        """Start the image's systemd as a first process, up to `unit`; `run` becomes its /run."""
        return [
            *("env", "-i", "PATH=/usr/bin:/usr/sbin", "container=test", f"ROOM={self.room}", f"RUN={run}"),
            f"IMAGES={' '.join(map(str, self.images))}",
            *("unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child=KILL"),
            *("sh", "-c", _FIRST_PROCESS, "sh", "/usr/lib/systemd/systemd", f"--unit={unit}"),
            *("--log-target=console", "--log-level=info", "--show-status=no"),
        ]

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
