"""What the boot script decides before it touches a disk: which file is the ISO, which layers fit into memory."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from builder.keys import ROOT

SCRIPTS = ROOT / "overlay/initramfs/scripts"


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("boot=inkstick quiet", ""),
        ("boot=inkstick findiso=", ""),
        ('boot=inkstick "findiso="', ""),
        ("boot=inkstick findiso=/images/demo.iso", "/images/demo.iso"),
        ("findiso=/images/demo.iso boot=inkstick", "/images/demo.iso"),
        ('boot=inkstick "findiso=/images/墨条 demo.iso" quiet', "/images/墨条 demo.iso"),
        ("boot=inkstick iso-scan/filename=/demo.iso", "/demo.iso"),
        ("boot=inkstick findiso=(hd0,msdos2)/demo.iso", "/demo.iso"),
    ],
)
def test_the_path_of_an_iso_file_comes_from_the_command_line(tmp_path: Path, line: str, path: str) -> None:
    done = _run(tmp_path, "inkstick-medium", "iso_path", line, "iso_path")
    assert done.stdout.removesuffix("\n") == path


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ('boot=inkstick "findiso=/images/demo 1 init= single.iso"', False),
        ('boot=inkstick "findiso=/a.iso" init=/bin/sh', True),
        ('boot=inkstick "findiso=/a.iso" single', True),
        ("boot=inkstick toram nomodeset inkstick.check", False),
    ],
)
def test_words_in_an_isos_path_are_not_taken_for_orders_and_orders_behind_it_are(
    tmp_path: Path, line: str, refused: bool
) -> None:
    done = _run(tmp_path, "inkstick", "refuse_other_starts", line, "stop() { echo stopped; }\nrefuse_other_starts")
    assert ("stopped" in done.stdout) is refused, done.stdout


@pytest.mark.parametrize(
    ("room_mib", "chosen", "remaining"),
    [
        (0, "", "base python model station"),
        (99, "station", "base python model"),
        (450, "base station", "python model"),
        (4096, "base python model station", ""),
    ],
)
def test_layers_go_to_memory_in_order_as_far_as_they_fit(
    tmp_path: Path, room_mib: int, chosen: str, remaining: str
) -> None:
    sizes = {"base": 400, "python": 250, "model": 3000, "station": 5}
    rows = [f"{name} {name}.squashfs {size << 20} 0 0\n" for name, size in sizes.items()]
    (tmp_path / "layers").write_text("".join(rows))
    call = f'LAYERS={tmp_path}/layers room={room_mib << 10}\nchoose_layers\necho "$chosen" / "$remaining"'
    done = _run(tmp_path, "inkstick-ram", "choose_layers", "", call)
    into, stays = done.stdout.split("/")
    assert [file.removesuffix(".squashfs") for file in into.split()] == chosen.split()
    assert stays.split() == remaining.split()


def _run(tmp_path: Path, script: str, function: str, line: str, call: str) -> subprocess.CompletedProcess[str]:
    """One function of a boot script, with `line` as the kernel's command line."""
    (tmp_path / "cmdline").write_text(line + "\n")
    found = re.search(rf"^{function}\(\) {{\n.*?^}}\n", (SCRIPTS / script).read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    text = found[0].replace("/proc/cmdline", str(tmp_path / "cmdline"))
    return subprocess.run(["sh"], input=f"{text}\n{call}\n", capture_output=True, text=True, check=True)
