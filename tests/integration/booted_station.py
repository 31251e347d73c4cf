"""The image's own systemd with all services of the station, as they are on the image, in namespaces of this machine.

What differs from a station: the screen is Xvfb of this machine instead of Xorg, sticks are folders, and there is
no udev. The browser, its policies, its unit and its user, gateway, engine and helper are the image's.
"""

from __future__ import annotations

import json
import os
import shlex
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from tests.integration.image_tree import Tree

_PATIENCE = float(os.environ.get("INKSTICK_TEST_PATIENCE", "1"))
_DEVICES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}
_DROP_INS = {
    "inkstick-display": """[Service]
ExecStartPre=
ExecStartPre=/usr/lib/inkstick/display-cookie
ExecStartPre=/bin/ln -sf /run/test/X0 /tmp/.X11-unix/X0
ExecStart=
ExecStart=/bin/sleep infinity
StandardInput=null
TTYPath=
""",
    "inkstick-media": """[Service]
ExecStart=
ExecStart=/usr/bin/python3 -m runtime.media --config /etc/inkstick/station.json --folders /run/test/sticks
""",
}
_ASK = """
import sys, urllib.request
for line in sys.stdin:
    method, _, url = line.strip().partition(" ")
    origin = url[: url.index("/", 8)]
    request = urllib.request.Request(url, method=method, headers={"Origin": origin})
    print(urllib.request.urlopen(request, timeout=60).read().decode().replace("\\n", " "), flush=True)
"""


@dataclass
class Booted:
    """`display`: of this machine, as ":7"; `framebuffer`: its content; `sticks`: a folder in it is a stick;
    `init`: the station's first process.
    """

    display: str
    framebuffer: Path
    sticks: Path
    init: int
    tree: Tree
    _asking: subprocess.Popen[str] | None = field(default=None, repr=False)

    def systemctl(self, *words: str) -> str:
        """What systemctl says there. Does not raise."""
        return self.run("systemctl", *words).stdout

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """A program of the station, there, as root. Does not raise."""
        command = ["nsenter", f"--target={self.init}", "-m", "-p", "-i", "-u", "-n", "-C", "-r", "-w", *argv]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def processes(self, user: int) -> dict[int, tuple[str, ...]]:
        """Command lines of a user's processes, by their numbers outside."""
        parents, found = {}, {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                status = dict(line.split(":\t", 1) for line in (entry / "status").read_text().splitlines())
                parents[int(entry.name)] = int(status["PPid"])
                if int(status["Uid"].split()[0]) == user:
                    found[int(entry.name)] = tuple((entry / "cmdline").read_text().rstrip("\0").split("\0"))
            except (OSError, ValueError):
                continue  # it has ended
        return {pid: line for pid, line in found.items() if self.init in _ancestors(pid, parents)}

    def picture(self) -> Image.Image:
        """What the screen shows."""
        dump = self.framebuffer.read_bytes()
        # XWD: a header whose length comes first, a palette, and the pixels at the end.
        width, height = struct.unpack(">2I", dump[16:24])
        return Image.frombytes("RGB", (width, height), dump[-width * height * 4 :], "raw", "BGRX")

    def ask(self, url: str, method: str = "GET") -> Any:
        """What the gateway answers on its own loopback, as JSON."""
        if self._asking is None:
            (gateway,) = (pid for pid, line in self.processes(901).items() if "runtime.gateway" in line)
            self._asking = subprocess.Popen(
                ["nsenter", f"--target={gateway}", "--net", sys.executable, "-c", _ASK],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._asking.stdin is not None and self._asking.stdout is not None
        self._asking.stdin.write(f"{method} {url}\n")
        self._asking.stdin.flush()
        answer = self._asking.stdout.readline()
        assert answer, f"no answer to {method} {url}"
        return json.loads(answer)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("http://127.0.0.1:7860/kiosk/state")
        return found

    def wait_for_report(self, word: str, limit_s: float) -> None:
        """A milestone on what is the serial console there."""
        console = Path("/proc", str(self.init), "root/dev/ttyS0")
        deadline = time.monotonic() + limit_s * _PATIENCE
        while f"inkstick: {word}" not in console.read_text():
            assert time.monotonic() < deadline, f"no {word}; {console.read_text()}"
            time.sleep(0.5)

    def close(self) -> None:
        if self._asking is not None:
            self._asking.kill()
            self._asking.wait()


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid in parents:
        pid = parents[pid]
        yield pid


@contextmanager
def booted(tree: Tree, room: Path, size: str = "1280x800") -> Iterator[Booted]:
    """Start everything; returns when the first page is on the screen. `room`: an empty folder for this machine's part.

    The tree can be changed before, and is used up.
    """
    sticks = room / "sticks"
    sticks.mkdir()
    with ExitStack() as ending:
        display = _screen(size, room, ending)
        for unit, text in _DROP_INS.items():
            tree.write(f"/etc/systemd/system/{unit}.service.d/99-test.conf", text)
        with (room / "console").open("wb") as console:
            namespaces = ["unshare", "-m", "-p", "-i", "-u", "-n", "-C", "--fork", "--kill-child"]
            machine = subprocess.Popen(
                tree.enter(*namespaces, "sh", "-c", _start(tree.root, sticks, display)),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        ending.callback(machine.wait)
        ending.callback(machine.kill)
        station = Booted(display, room / "Xvfb_screen0", sticks, first_child(machine), tree)
        ending.callback(station.close)
        station.wait_for_report("kiosk-painted", 300)
        yield station


def _screen(size: str, room: Path, ending: ExitStack) -> str:
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", f"{size}x24", "-ac", "-nolisten", "tcp", "-fbdir", str(room)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    ending.callback(screen.wait)
    ending.callback(screen.terminate)
    assert screen.stdout is not None
    return f":{screen.stdout.readline().strip()}"


def first_child(machine: subprocess.Popen[bytes]) -> int:
    """unshare forks once; its child becomes systemd."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdecimal() and (entry / "comm").read_text() == "systemd\n":
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if parent == machine.pid:
                        return int(entry.name)
            except OSError:
                continue
        assert machine.poll() is None, "the station's systemd did not start"
        time.sleep(0.2)
    raise AssertionError("the station's systemd did not start")


def _start(root: Path, sticks: Path, display: str) -> str:
    """The script that becomes systemd, with the screen's socket and the sticks."""
    return becoming_systemd(
        root,
        "mkdir -p run/test/sticks",
        f"mount --bind {shlex.quote(str(sticks))} run/test/sticks",
        f": >run/test/X0; mount --bind /tmp/.X11-unix/X{display[1:]} run/test/X0",
    )


def becoming_systemd(root: Path, *prepared: str, unit: str = "") -> str:
    """A script that becomes the systemd of `root`, in namespaces of its own: kernel file systems, a small /dev,
    a change of root. `prepared`: commands before that, in `root`; `unit`: what is started instead of everything.
    """
    lines = [
        "set -e",
        "mount --make-rprivate /",
        f"cd {shlex.quote(str(root))}",
        "mount --bind . .",
        f"cd {shlex.quote(str(root))}",
        "mount -t proc proc proc",
        # This machine's settings are not the station's to change.
        "mount --bind proc/sys proc/sys; mount -o remount,bind,ro proc/sys",
        "mount -t sysfs -o ro sysfs sys",
        "mount -t cgroup2 cgroup2 sys/fs/cgroup",
        "mount -t tmpfs -o mode=0755 dev dev",
        *(f"mknod -m 0666 dev/{name} c 1 {minor}" for name, minor in _DEVICES.items()),
        "mknod -m 0666 dev/tty c 5 0",
        "mkdir dev/pts dev/shm dev/mqueue",
        "mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts; ln -s pts/ptmx dev/ptmx",
        "mount -t tmpfs -o mode=1777 shm dev/shm",
        "ln -s /proc/self/fd dev/fd",
        ": >dev/ttyS0; chmod 0666 dev/ttyS0",
        "mount -t tmpfs -o mode=0755 run run",
        "mount -t tmpfs -o mode=1777 tmp tmp",
        *prepared,
        "pivot_root . mnt",
        "cd /",
        "umount -l /mnt",
        "exec env -i container=lxc PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd --log-target=console"
        + (f" --unit={unit}" if unit else ""),
    ]
    return "\n".join(lines)
