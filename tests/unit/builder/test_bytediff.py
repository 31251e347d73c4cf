"""Two builds that differ are told apart by layer, file and offset."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.bytediff import Difference, differences
from tests.unit.builder.small_stick import EPOCH, FILES, write_stick, write_tree

TOOL = "usr/bin/tool"
BASE = {"usr/share/fonts/list": "".join(f"{n * 3}\n" for n in range(9_000))}


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path


def two(room: Path, spoil: Callable[[Path], object]) -> list[Difference]:
    """A stick of two layers, and another whose upper layer was spoilt."""
    base, tree = write_tree(room / "base", BASE), write_tree(room / "tree", FILES)
    first = write_stick(room, {"base": base, "station": tree})
    spoil(tree)
    for path in (tree, *tree.rglob("*")):
        if path.lstat().st_mtime != EPOCH - 120:
            os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)
    return differences(first, write_stick(room, {"base": base, "station": tree}, "other.iso"))


def in_layers(found: list[Difference]) -> list[Difference]:
    return [one for one in found if one.place != "ISO"]


def test_equal_sticks_have_no_difference(room: Path) -> None:
    assert two(room, lambda tree: None) == []


def flip(tree: Path) -> None:
    file = tree / "usr/share/numbers"
    content = bytearray(file.read_bytes())
    content[70_001] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (flip, Difference("station", "/usr/share/numbers", "content", 70_001)),
        (lambda tree: (tree / TOOL).chmod(0o755), Difference("station", f"/{TOOL}", "mode -rw-r--r-- -> -rwxr-xr-x")),
        (lambda tree: (tree / "usr/more").symlink_to("x"), Difference("station", "/usr/more", "only in the second")),
        (lambda tree: (tree / TOOL).unlink(), Difference("station", f"/{TOOL}", "only in the first")),
        (lambda tree: shutil.rmtree(tree / "etc"), Difference("station", "/etc", "only in the first")),
    ],
)
def test_the_file_is_named_with_what_differs(
    room: Path, spoil: Callable[[Path], object], expected: Difference
) -> None:
    found = two(room, spoil)
    assert expected in found
    assert {one.place for one in in_layers(found)} == {"station"}, "the layer below is the same"
    assert "/inkstick/boot/initrd.img" in {one.file for one in found}, "it carries the manifest"


def test_a_file_that_grew_is_told_with_both_sizes_and_where_it_begins_to_differ(room: Path) -> None:
    found = in_layers(two(room, lambda tree: (tree / "etc/hostname").write_text("inkstick-2\n")))
    assert Difference("station", "/etc/hostname", "size 9 -> 11") in found
    assert Difference("station", "/etc/hostname", "content", 8) in found


def test_a_time_stamp_is_a_difference(room: Path) -> None:
    (one,) = in_layers(two(room, lambda tree: os.utime(tree / "etc/hostname", (EPOCH - 120, EPOCH - 120))))
    assert one.file == "/etc/hostname" and one.what.startswith("time ")


def test_what_belongs_to_no_file_is_told_by_its_offset(room: Path) -> None:
    first = write_stick(room, {"base": write_tree(room / "base", BASE)})
    other = room / "other.iso"
    shutil.copyfile(first, other)
    with other.open("r+b") as stream:
        stream.seek(440)  # the MBR's disk signature
        stream.write(b"\x01")
    (one,) = differences(first, other)
    assert one.place == "ISO" and one.offset == 440
