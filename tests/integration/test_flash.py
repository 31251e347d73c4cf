"""`build.py flash` on loop devices: the real command, real block devices, O_DIRECT and all.

A loop device is never removable, so `--force` goes with each. None here belongs to anybody else.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from builder.keys import ROOT

MIB = 1 << 20
STICK_BYTES = 96 * MIB


class Bench:
    """A place to plug in sticks made of files. All are gone in the end."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.undo = ExitStack()

    def stick(self, name: str, size: int = STICK_BYTES, folder: Path | None = None) -> Path:
        """A new stick: a loop device with partitions, over a sparse file."""
        file = (folder or self.room) / name
        with file.open("ab") as handle:
            handle.truncate(size)
        return self.plug_in(file)

    def plug_in(self, file: Path) -> Path:
        device = _output("losetup", "--find", "--show", "--partscan", str(file))
        self.undo.callback(_output, "losetup", "--detach", device)
        return Path(device)

    def mount(self, what: str | Path, place: Path, *options: str) -> None:
        place.mkdir()
        _output("mount", *options, str(what), str(place))
        self.undo.callback(_output, "umount", str(place))


def _output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    with made.undo:
        yield made


@pytest.fixture
def small_iso(tmp_path: Path) -> Path:
    """A hybrid ISO of 24 MiB, made as ours are."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "content").write_bytes(random.Random("content").randbytes(23 * MIB))
    boot = tmp_path / "mbr"
    boot.write_bytes(bytes(510) + b"\x55\xaa")
    iso = tmp_path / "small.iso"
    words = ["xorriso", "-as", "mkisofs", "-quiet", "-V", "SMALL", "-G", str(boot)]
    esp = tmp_path / "esp"
    esp.write_bytes(bytes(MIB))
    words += ["-partition_offset", "16", "-append_partition", "2", "0xef", str(esp), "-appended_part_as_gpt"]
    _output(*words, "-o", str(iso), str(tree))
    return iso


def flash(*words: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "builder", "flash", *(str(word) for word in words)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def meaning(*devices: Path) -> list[str]:
    return [word for device in devices for word in ("--yes-i-mean", device.name)]


def begins_with(device: Path, iso: Path) -> bool:
    with device.open("rb") as handle:
        return handle.read(iso.stat().st_size) == iso.read_bytes()


def test_three_sticks_at_once_and_then_only_what_changed(bench: Bench, small_iso: Path) -> None:
    sticks = [bench.stick(f"stick-{n}") for n in range(3)]
    old = b"EFI PART" + bytes(504)
    with sticks[1].open("r+b") as handle:
        handle.seek(STICK_BYTES - 512)
        handle.write(old)
    done = flash(small_iso, *sticks, "--force", *meaning(*sticks))
    assert done.returncode == 0, done.stdout + done.stderr
    for stick in sticks:
        assert begins_with(stick, small_iso)
        assert f"{stick.name}: right" in done.stdout
    assert "reading back" in done.stdout and str(bench.room / "stick-0") in done.stdout
    with sticks[1].open("rb") as handle:
        handle.seek(STICK_BYTES - 512)
        assert handle.read() == bytes(512), "the old table's copy is still there"
    again = flash(small_iso, sticks[0])
    assert again.returncode == 9 and "on it: SMALL" in again.stdout, "this machine still has the old contents in mind"

    with small_iso.open("r+b") as handle:
        handle.seek(12 * MIB)
        handle.write(b"changed")
    done = flash(small_iso, sticks[0], "--delta", "--force", *meaning(sticks[0]))
    assert done.returncode == 0 and "1.2 MiB of" in done.stdout, done.stdout + done.stderr
    assert begins_with(sticks[0], small_iso)


def test_one_stick_that_drops_writes_holds_no_other_up(bench: Bench, small_iso: Path) -> None:
    """A sparse file of 96 MiB where there is room for 8: the kernel takes the writes and loses them."""
    bench.mount("tmpfs", bench.room / "small", "-t", "tmpfs", "-o", f"size={8 * MIB}")
    small = bench.stick("liar", folder=bench.room / "small")
    good = bench.stick("good")
    done = flash(small_iso, small, good, "--force", *meaning(small, good))
    assert done.returncode == 9, done.stdout + done.stderr
    assert f"{small.name}: failed:" in done.stderr and "remedy:" in done.stderr and "Traceback" not in done.stderr
    assert "1 of 2 sticks failed" in done.stderr
    assert f"{good.name}: right" in done.stdout and begins_with(good, small_iso)
    with small.open("rb") as handle:
        assert handle.read(512) == bytes(512), "a failed stick could still start"


def test_what_is_in_use_is_refused_and_nothing_is_written(bench: Bench, small_iso: Path) -> None:
    free, mounted, covered = (bench.stick(name) for name in ("free", "mounted", "covered"))
    _output("mkfs.ext4", "-q", str(mounted))
    bench.mount(mounted, bench.room / "place")
    bench.plug_in(covered)
    sticks = [free, mounted, covered]
    done = flash(small_iso, *sticks, "--force", *meaning(*sticks))
    assert done.returncode == 9 and "nothing was written" in done.stderr
    assert f"{mounted.name} is mounted at {bench.room / 'place'}" in done.stderr
    assert f"umount {bench.room / 'place'}" in done.stderr and f"over {covered.name}" in done.stderr
    with free.open("rb") as handle:
        assert handle.read(MIB) == bytes(MIB)


def test_a_mount_that_this_process_cannot_see_is_no_way_round(bench: Bench, small_iso: Path) -> None:
    stick = bench.stick("stick")
    _output("mkfs.ext4", "-q", str(stick))
    (bench.room / "place").mkdir()
    script = f"mount {stick} {bench.room}/place && echo ready && exec sleep infinity"
    holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "ready\n"
        done = flash(small_iso, stick, "--force", *meaning(stick))
    finally:
        holder.kill()
        holder.wait()
    assert done.returncode == 9 and "it is in use" in done.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--yes-i-mean", "STICK"], "it is no removable disk"),
        (["--force"], "no terminal to ask on"),
        (["--force", "--yes-i-mean", "sdq"], "sdq was answered, STICK would be erased"),
    ],
)
def test_nothing_is_written_without_the_right_name(
    bench: Bench, small_iso: Path, words: list[str], expected: str
) -> None:
    stick = bench.stick("stick")
    done = flash(small_iso, stick, *(word.replace("STICK", stick.name) for word in words))
    assert done.returncode == 9 and expected.replace("STICK", stick.name) in done.stderr, done.stderr
    with stick.open("rb") as handle:
        assert handle.read(MIB) == bytes(MIB)


def test_a_stick_too_small_a_file_and_a_wrong_iso_are_refused(bench: Bench, small_iso: Path) -> None:
    small = bench.stick("small", size=8 * MIB)
    done = flash(small_iso, small, "--force", *meaning(small))
    assert done.returncode == 9 and "it holds 8.0 MiB, the ISO has" in done.stderr
    done = flash(small_iso, small_iso, "--force")
    assert done.returncode == 9 and "is no disk" in done.stderr
    small_iso.with_name("small.iso.sha256").write_text(f"{'0' * 64}  small.iso\n")
    stick = bench.stick("stick")
    done = flash(small_iso, stick, "--force", *meaning(stick))
    assert done.returncode == 8 and "is not the file that small.iso.sha256 was made for" in done.stderr
    os.truncate(small_iso, MIB)
    small_iso.write_bytes(bytes(MIB))
    done = flash(small_iso, stick, "--force", *meaning(stick))
    assert done.returncode == 8 and "no ISO that starts from a stick" in done.stderr


def test_a_stick_with_a_vault_is_not_erased_unasked(bench: Bench, small_iso: Path) -> None:
    stick = bench.stick("stick")
    table = 'label: gpt\nstart=2048, size=2048\nstart=4096, name="INKSTICK-VAULT"\n'
    subprocess.run(["sfdisk", "--quiet", str(stick)], input=table, text=True, check=True)
    done = flash(small_iso, stick, *meaning(stick))
    assert done.returncode == 9 and "it holds a vault" in done.stderr and "A VAULT" in done.stdout
