"""Pinyin from a keyboard: the image's own fcitx5 and Chromium, as its own users, on a display of this machine.

What is started, with which environment, is read from the image's units; their confinement is systemd's part,
which tests/boot has. The page is a real station's, and what was typed is asked of that station.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from builder import isofs
from builder.manifest import find_in
from tests.browser import station as stations
from tests.browser.station import Station, short

pytestmark = pytest.mark.full

PATIENCE_S = 180
SIZE = (1280, 800)
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
install -D /dev/null root/run/inkstick/gateway/painted
sed -i "s/:7860/:$PORT/g" root/etc/chromium/policies/managed/*.json
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


@pytest.fixture(scope="module")
def layers(iso: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Base and station: what Chromium and fcitx5 need."""
    folder = tmp_path_factory.mktemp("layers")
    manifest = find_in(isofs.read(iso, isofs.files(iso)["/inkstick/boot/initrd.img"]))
    images = []
    for layer in manifest.layers:
        if layer.name in ("base", "station"):
            images.append(folder / layer.name)
            images[-1].write_bytes(isofs.read(iso, isofs.files(iso)[f"/inkstick/layers/{layer.file}"]))
    return images


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    running = stations.start(tmp_path)
    yield running
    stations.stop(running)


@pytest.fixture
def screen(layers: list[Path], station: Station, tmp_path: Path) -> Iterator[Screen]:
    with ExitStack() as stack:
        number = _display(stack, tmp_path)
        for unit, extra in (
            ("inkstick-input", {}),
            ("inkstick-kiosk", {"KIOSK_URL": f"{station.url}/", "KIOSK_PAINTED": "/run/inkstick/gateway/painted"}),
        ):
            (tmp_path / unit).mkdir()
            command = _command(
                layers[-1],
                unit,
                tmp_path / unit,
                layers,
                station.url.rpartition(":")[2],
                {**extra, "DISPLAY": f":{number}"},
            )
            log = stack.enter_context(open(tmp_path / f"{unit}.log", "wb"))
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
            stack.callback(process.wait, 60)
            stack.callback(process.kill)
        yield Screen(number, tmp_path)


def _display(stack: ExitStack, folder: Path) -> int:
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


def _command(
    image: Path, unit: str, room: Path, layers: list[Path], port: str, instead: dict[str, str]
) -> list[str | Path]:
    """The unit's ExecStart with its environment as its user, in the image's tree."""
    text = subprocess.run(
        ["unsquashfs", "-cat", image, f"etc/systemd/system/{unit}.service"], capture_output=True, text=True, check=True
    ).stdout
    lines = re.findall(r"(?m)^Environment=(.*)$", text)
    environment = dict(word.split("=", 1) for line in lines for word in shlex.split(line))
    environment = {"PATH": "/usr/bin", **environment, **instead}
    del environment["XAUTHORITY"]
    program = re.findall(r"(?m)^ExecStart=(.*)$", text)[0]
    user = re.findall(r"(?m)^User=(.*)$", text)[0]
    number = {"inkstick-input": "910", "kiosk": "903"}[user]
    return [
        *("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", f"ROOM={room}", f"IMAGES={' '.join(map(str, layers))}"),
        f"PORT={port}",
        *("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "sh", "-c", _ENTER, "sh"),
        *("setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--no-new-privs"),
        *("env", "-i", *(f"{name}={value}" for name, value in environment.items()), *shlex.split(program)),
    ]


def _wait(until: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, what()
        time.sleep(0.5)


def _pages(station: Station) -> str:
    with urllib.request.urlopen(f"{station.url}/kiosk/pages/0", timeout=30) as answer:
        return json.dumps(json.load(answer), ensure_ascii=False)


def test_pinyin_is_typed_into_the_page_with_the_images_own_programs(
    screen: Screen, station: Station, tmp_path: Path
) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    station.plug_in("STICK", {"short.png": short()})
    _wait(lambda: station.state()["screen"] == "list", lambda: "the list does not come")
    # Nobody but the page tells when it listens: what comes too early is given again.
    _wait(lambda: _opened(screen, station), lambda: _logs(tmp_path))
    _wait(
        lambda: _written(screen, station, [["Return", "ctrl+a"], "No. 7", ["Return"]], "No. 7"),
        lambda: _logs(tmp_path),
    )
    _wait(lambda: _written(screen, station, CHINESE, "身份证合同 No. 7"), lambda: _logs(tmp_path) + _pages(station))


ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts"
# Keys in lists, letters in words. Ctrl+Space turns pinyin on, and off again.
CHINESE: list[str | list[str]] = [
    *(["Return", "ctrl+a", "ctrl+space"], "shenfenzheng", ["space"], "hetong", ["1", "ctrl+space"]),
    *(" No. 7", ["Return"]),
]


def _opened(screen: Screen, station: Station) -> bool:
    if station.state()["screen"] == "list":
        screen.do("key", "Return")
        time.sleep(2)
    return station.state()["screen"] == "review"


def _written(screen: Screen, station: Station, typed: list[str | list[str]], wanted: str) -> bool:
    for part in typed:
        if isinstance(part, str):
            screen.do("type", "--delay", "120", part)
        for key in part if isinstance(part, list) else ():
            screen.do("key", key)
        time.sleep(1)
        screen.picture(ARTIFACTS / f"fcitx5-{part if isinstance(part, str) else part[0]}.png")
    return wanted in _pages(station)


def _logs(folder: Path) -> str:
    return "\n".join(file.read_text(errors="replace")[-1500:] for file in folder.glob("*.log"))


def test_the_page_heeds_keys_again_after_a_dialog_with_a_text_field_was_closed(
    screen: Screen, station: Station, tmp_path: Path
) -> None:
    """By Escape, which the browser itself closes it with: twice, since the first time the field is new."""
    station.plug_in("VAULT", {})
    _wait(lambda: bool(_places(station)), lambda: str(station.state()))
    station.post("vault/make", {"place": _places(station)[0]["id"], "passphrase": "lan-hai-yun-7431"})
    station.plug_in("STICK", {"short.png": short()})
    _wait(lambda: station.state()["screen"] == "list", lambda: "the list does not come")
    _wait(lambda: _opened(screen, station), lambda: _logs(tmp_path))
    for _ in range(2):
        before = station.state()["language"]
        for key in ("v", "h", "Escape"):
            time.sleep(3)
            screen.do("key", key)
        time.sleep(3)
        screen.do("key", "l")
        _wait(partial(_speaks_another, station, before), lambda: _logs(tmp_path))


def _places(station: Station) -> list[dict[str, Any]]:
    return cast(dict[str, Any], station.state()["vault"])["places"]  # type: ignore[no-any-return]


def _speaks_another(station: Station, language: object) -> bool:
    return bool(station.state()["language"] != language)
