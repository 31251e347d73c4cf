"""The image's programs as its own users, on a display of this machine.

What is started, with which environment, is read from the image's units; their confinement is systemd's part, which
tests/boot has.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from builder import isofs
from builder.manifest import find_in

SIZE = (1280, 800)
KIOSK = 903
USERS = {"inkstick": 901, "kiosk": KIOSK, "inkstick-input": 910, "inkstick-bus": 912}
BUS = "unix:path=/run/inkstick-input-bus/socket"
# The layers as the station stacks them, as the root of this mount namespace: a chroot would forbid Chromium's
# own sandbox. The caller is the parent of all and ends with them.
_ENTER = """
set -e
mount -t tmpfs room "$ROOM"; cd "$ROOM"; mkdir root old u w; stack=
for image in $IMAGES; do
    mkdir "$(basename "$image")"; mount -t squashfs -o loop,ro "$image" "$(basename "$image")"
    stack="$ROOM/$(basename "$image")${stack:+:$stack}"
done
mount -t overlay -o "lowerdir=$stack,upperdir=$ROOM/u,workdir=$ROOM/w" room root
mount -t proc proc root/proc; mount --rbind /sys root/sys; mount --rbind /dev root/dev
mount -t tmpfs -o mode=1777 tmp root/tmp; mount -t tmpfs -o mode=755 run root/run
mkdir -m 1777 root/tmp/.X11-unix; mount --bind /tmp/.X11-unix root/tmp/.X11-unix
install -d -m 0700 -o 903 root/run/kiosk
mkdir -p root/run/inkstick-input-bus root/run/inkstick/told
install -D /dev/null root/run/inkstick/gateway/painted
sed -i "s/:7860/:$PORT/g" root/etc/chromium/policies/managed/*.json
mount --bind "$SHARED" root/run/inkstick-input-bus; mount --bind "$SHARED" root/run/inkstick/told
mkdir root/mnt/old; cd root; pivot_root . mnt/old; umount -l /mnt/old
"$@" &  # not exec: this shell stays root, and dies with the test, and all with it
wait
"""


@dataclass
class Screen:
    """A display, with the image's two programs on it."""

    number: int
    pixels: Path

    def do(self, *xdotool: str) -> None:
        environment = {**os.environ, "DISPLAY": f":{self.number}"}
        subprocess.run(["xdotool", *xdotool], env=environment, check=True, timeout=60)

    def picture(self, file: Path) -> None:
        """As the person sees it; kept to be looked at. Xvfb keeps its pixels in a file, as xwd does."""
        dump = (self.pixels / "Xvfb_screen0").read_bytes()
        header, colours = (int.from_bytes(dump[at : at + 4]) for at in (0, 76))
        Image.frombytes("RGB", SIZE, dump[header + colours * 12 :], "raw", "BGRX").save(file)


@dataclass
class Tree:
    """Base and station, stacked for each program anew; `shared` is one folder for all of them."""

    layers: list[Path]
    shared: Path
    port: str

    def argv(self, user: str, program: list[str], environment: dict[str, str], room: Path) -> list[str | Path]:
        """`room`: an empty folder of this program's own."""
        number = str(USERS[user])
        names = f"IMAGES={' '.join(map(str, self.layers))}"
        return [
            *("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", f"ROOM={room}", names),
            *(f"PORT={self.port}", f"SHARED={self.shared}"),
            *("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "sh", "-c", _ENTER, "sh"),
            *("setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--no-new-privs"),
            *("env", "-i", *(f"{name}={value}" for name, value in environment.items()), *program),
        ]

    def unit(self, unit: str, instead: dict[str, str], room: Path) -> list[str | Path]:
        """The unit's ExecStart with its environment as its user."""
        text = subprocess.run(
            ["unsquashfs", "-cat", self.layers[-1], f"etc/systemd/system/{unit}.service"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        lines = re.findall(r"(?m)^Environment=(.*)$", text)
        environment = dict(word.split("=", 1) for line in lines for word in shlex.split(line))
        environment = {"PATH": "/usr/bin", **environment, **instead}
        environment.pop("XAUTHORITY", None)
        # systemd's part, again: it makes the bus's socket.
        program = re.findall(r"(?m)^ExecStart=(.*)$", text)[0].replace("--address=systemd:", f"--address={BUS}")
        (user,) = re.findall(r"(?m)^User=(.*)$", text)
        return self.argv(user, shlex.split(program), environment, room)


def layers_of(iso: Path, folder: Path) -> list[Path]:
    """Base and station: what Chromium and fcitx5 need."""
    manifest = find_in(isofs.read(iso, isofs.files(iso)["/inkstick/boot/initrd.img"]))
    images = []
    for layer in manifest.layers:
        if layer.name in ("base", "station"):
            images.append(folder / layer.name)
            images[-1].write_bytes(isofs.read(iso, isofs.files(iso)[f"/inkstick/layers/{layer.file}"]))
    return images


def display(stack: ExitStack, folder: Path) -> int:
    """Xvfb chooses a free number itself."""
    read, write = os.pipe()
    argv = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-fbdir", str(folder), "-ac"]
    with open(folder / "xvfb.log", "wb") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT, pass_fds=[write])
    stack.callback(process.wait, 60)
    stack.callback(process.terminate)
    os.close(write)
    with open(read) as answer:
        return int(answer.readline())
