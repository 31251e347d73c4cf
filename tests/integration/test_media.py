"""The helper on real block devices: ext4 images on loop devices, in a mount namespace of the test's own.

Needs root. This kernel may know neither FAT nor exFAT; what is tested is what is the same for all:
mount, save, flush, unmount, read back, and the ways in which that fails.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.media import mounting
from runtime.media.block_devices import BlockDevices
from runtime.media.detection import Volume
from runtime.media.wire import Document, Part, SaveProgress, Stick
from runtime.problems import STICK_FULL, STICK_GONE, STICK_READ_ONLY, STICK_UNREADABLE, Problem
from tests.integration.own_mounts import own_mounts

_DOCUMENT = Document("扫描", (Part(".txt", 5), Part(".json", 2)))
_CONTENTS = ([b"wo", b"rds"], [b"{}"])


class Bench:
    """Images that can be plugged in and pulled out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plugged: dict[str, Volume] = {}
        self.media = BlockDevices(folder / "mounts", find=lambda: tuple(self.plugged.values()))

    def image(self, name: str, files: dict[str, bytes], size_mib: int = 8, kind: str = "ext4") -> Path:
        tree = self.folder / f"{name}.tree"
        for path, content in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(content)
        tree.mkdir(exist_ok=True)
        image = self.folder / f"{name}.img"
        command = ["mke2fs", "-q", "-t", kind, "-m", "0", "-L", name.upper(), "-d", str(tree), str(image)]
        subprocess.run([*command, f"{size_mib}M"], check=True)
        return image

    def plug_in(self, image: Path, *, read_only: bool = False, disk: str = "") -> Stick:
        command = ["losetup", "--find", "--show", *(["--read-only"] if read_only else []), str(image)]
        device = Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
        volume = Volume(device.name, disk or device.name, "1", image.stat().st_size, read_only)
        self.plugged[device.name] = volume
        self.media.refresh()
        return next(stick for stick in self.media.sticks() if stick.id == volume.id)

    def pull(self, stick: Stick) -> None:
        name = stick.id.rsplit("-", 1)[0]
        del self.plugged[name]
        self.media.refresh()
        subprocess.run(["losetup", "--detach", f"/dev/{name}"], check=True)

    def save(self, stick: Stick, on_progress: Callable[[SaveProgress], None] = lambda _: None) -> tuple[str, ...]:
        return self.media.save(stick.id, (_DOCUMENT,), _CONTENTS, on_progress).names

    def mounts(self) -> list[str]:
        lines = Path("/proc/thread-self/mountinfo").read_text().splitlines()
        return [line.split(" ")[5] for line in lines if str(self.folder) in line]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with own_mounts():
        bench = Bench(tmp_path)
        try:
            yield bench
        finally:
            bench.media.close()
            for name in bench.plugged:
                subprocess.run(["losetup", "--detach", f"/dev/{name}"], check=False)


def _reason(call: Callable[[], object]) -> object:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value.kind


def test_a_stick_is_mounted_read_only_and_saved_to_and_then_unmounted(bench: Bench) -> None:
    image = bench.image("red", {"page.png": b"pixels", "合同/2.png": b"more"})
    stick = bench.plug_in(image)
    assert (stick.label, stick.filesystem, stick.state, stick.writable) == ("RED", "ext4", "ready", True)
    assert [entry.path for entry in bench.media.files(stick.id).files] == ["page.png", "合同/2.png"]
    assert bench.media.read(stick.id, "合同/2.png", 10) == b"more"
    (options,) = bench.mounts()
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(options.split(","))

    stages: list[str] = []
    assert bench.save(stick, lambda progress: stages.append(progress.stage)) == ("扫描.txt", "扫描.json")
    assert list(dict.fromkeys(stages)) == ["write", "flush", "check"]
    assert bench.mounts() == []
    assert bench.media.sticks()[0].state == "ejected"
    bench.pull(stick)
    assert bench.media.sticks() == ()
    listed = subprocess.run(["debugfs", "-R", "cat /Inkstick/扫描.txt", str(image)], check=True, capture_output=True)
    assert listed.stdout == b"words"
    subprocess.run(["e2fsck", "-fn", str(image)], check=True, capture_output=True)


def test_an_ejected_stick_can_be_used_again(bench: Bench) -> None:
    stick = bench.plug_in(bench.image("red", {"page.png": b"pixels"}))
    bench.save(stick)
    assert _reason(lambda: bench.media.files(stick.id)) is STICK_GONE
    bench.media.use(stick.id)
    assert bench.save(stick) == ("扫描-2.txt", "扫描-2.json")


def test_a_write_protected_stick_is_read_but_not_written(bench: Bench) -> None:
    stick = bench.plug_in(bench.image("locked", {"page.png": b"pixels"}), read_only=True)
    assert not stick.writable
    assert _reason(lambda: bench.save(stick)) is STICK_READ_ONLY
    assert bench.media.read(stick.id, "page.png", 10) == b"pixels"


def test_write_protection_that_only_mounting_finds_is_told_too(bench: Bench) -> None:
    stick = bench.plug_in(bench.image("locked", {"page.png": b"pixels"}), read_only=True)
    name = stick.id.rsplit("-", 1)[0]
    bench.media._plugged[stick.id].volume = Volume(name, name, "1", stick.size_bytes, False)
    assert _reason(lambda: bench.save(stick)) is STICK_READ_ONLY
    assert bench.media.read(stick.id, "page.png", 10) == b"pixels"


def test_a_full_stick_keeps_what_it_had_and_stays_readable(bench: Bench) -> None:
    stick = bench.plug_in(bench.image("full", {"page.png": b"pixels" * 900_000}, size_mib=8))
    documents = (Document("big", (Part(".txt", 4_000_000),)),)
    refused = _reason(lambda: bench.media.save(stick.id, documents, [[b"x" * 4_000_000]], lambda _: None))
    assert refused is STICK_FULL
    (options,) = bench.mounts()
    assert "ro" in options.split(",")
    assert [entry.path for entry in bench.media.files(stick.id).files] == ["page.png"]


def test_a_stick_that_fills_up_while_writing_leaves_no_half_document(bench: Bench) -> None:
    stick = bench.plug_in(bench.image("full", {"page.png": b"x"}, size_mib=8))
    documents = (Document("small", (Part(".txt", 1),)), Document("liar", (Part(".txt", 1),)))
    contents = [[b"x"], [b"x" * 20_000_000]]  # more than was announced, as a shrinking disk would look
    refused = _reason(lambda: bench.media.save(stick.id, documents, contents, lambda _: None))
    assert refused is STICK_FULL
    assert bench.save(stick) == ("扫描.txt", "扫描.json")
    bench.media.use(stick.id)
    saved = bench.media._plugged[stick.id].target / "Inkstick"
    assert sorted(path.name for path in saved.iterdir()) == ["扫描.json", "扫描.txt"]


def test_a_stick_pulled_out_while_it_is_written_is_gone_and_leaves_no_mount(bench: Bench) -> None:
    stick = bench.plug_in(bench.image("red", {"page.png": b"pixels"}))
    name = stick.id.rsplit("-", 1)[0]

    def pull(_: SaveProgress) -> None:
        volume = bench.plugged.pop(name, None)
        if volume is not None:
            bench.media.refresh()

    assert _reason(lambda: bench.save(stick, pull)) is STICK_GONE
    assert bench.mounts() == []
    assert bench.media.sticks() == ()
    subprocess.run(["losetup", "--detach", f"/dev/{name}"], check=True)


def test_the_boot_medium_is_known_by_its_content_whatever_its_name(bench: Bench) -> None:
    first = bench.plug_in(bench.image("data", {"page.png": b"pixels"}), disk="sdz")
    assert bench.media.sticks()
    with pytest.raises(StopIteration):
        bench.plug_in(bench.image("boot", {"inkstick/layers/base.squashfs": b"x"}), disk="sdz")
    assert bench.media.sticks() == ()
    assert bench.mounts() == []
    assert _reason(lambda: bench.media.files(first.id)) is STICK_GONE


def test_a_helper_that_was_killed_leaves_no_mount_to_the_next_one(bench: Bench) -> None:
    bench.plug_in(bench.image("red", {"a.png": b"x"}))
    assert len(bench.mounts()) == 1
    bench.media = BlockDevices(bench.folder / "mounts", find=lambda: tuple(bench.plugged.values()))
    assert bench.mounts() == []
    bench.media.refresh()
    bench.save(bench.media.sticks()[0])
    assert bench.mounts() == []


def test_both_partitions_of_a_stick_are_unmounted_before_it_may_be_pulled(bench: Bench) -> None:
    first = bench.plug_in(bench.image("one", {"a.png": b"x"}), disk="sdz")
    bench.plug_in(bench.image("two", {"b.png": b"x"}), disk="sdz")
    bench.save(first)
    assert [stick.state for stick in bench.media.sticks()] == ["ejected", "ejected"]
    assert bench.mounts() == []


def test_a_stick_without_a_file_system_is_listed_as_unreadable(bench: Bench) -> None:
    blank = bench.folder / "blank.img"
    blank.write_bytes(bytes(1024 * 1024))
    stick = bench.plug_in(blank)
    assert stick.state == "unreadable"
    assert _reason(lambda: bench.media.files(stick.id)) is STICK_UNREADABLE


def test_what_does_not_come_back_from_the_stick_is_not_called_safe(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = bench.plug_in(bench.image("fake", {"a.png": b"x"}))
    image = bench.folder / "fake.img"
    real = mounting.unmount

    def unmount_and_forget(target: Path) -> None:
        """A counterfeit stick: everything written since it was plugged in is gone."""
        real(target)
        if image.with_suffix(".old").exists():
            with open(image, "r+b") as file:
                file.write(image.with_suffix(".old").read_bytes())
            subprocess.run(["blockdev", "--flushbufs", f"/dev/{stick.id.rsplit('-', 1)[0]}"], check=True)

    shutil.copy(image, image.with_suffix(".old"))
    monkeypatch.setattr(mounting, "unmount", unmount_and_forget)
    assert _reason(lambda: bench.save(stick)) is STICK_UNREADABLE
    assert bench.media.sticks()[0].state == "unreadable"


def test_reading_and_looking_go_on_side_by_side(bench: Bench) -> None:
    stick = bench.plug_in(bench.image("red", {"page.png": b"pixels" * 1000}))

    def look() -> None:
        for _ in range(50):
            bench.media.refresh()

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(50):
        assert bench.media.read(stick.id, "page.png", 10_000) == b"pixels" * 1000
    looking.join()
