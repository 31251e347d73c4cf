"""A vault on a stick's own blocks: real partition tables, LUKS2 headers, ext4 and mounts, on loop devices.

This kernel need not have device mapper: where a vault is opened, a loop device over the encrypted part takes the
mapping's place, once the real header has taken the passphrase. So nothing is encrypted here, and everything else is
as on a station. What a pulled stick holds is what its image holds at that moment: what was not flushed is not in it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runtime.media import luks, partitions
from runtime.media.device_vaults import DeviceVaults
from runtime.media.vault_disks import Disk
from runtime.media.vault_wire import VAULT_GONE, WRONG_PASSPHRASE, Kind
from runtime.problems import Problem
from runtime.vault.history import Batch, History, KeptPage
from tests.integration.own_mounts import own_mounts

MIB = 1024 * 1024
STICK_BYTES = 300 * MIB
HEADER_BYTES = 16 * MIB
"""Of LUKS2, as cryptsetup makes it."""
QUICK_KIB = 32 * 1024
SECRET, RECOVERY, OTHER = b"lan-hai-yun-7431", b"ABCDE-FGHJK-MNPQR", b"shan-gao-yue-9028"
BATCH = Batch("0" * 32, 1_700_000_000.0, ("合同.png",), ("1" * 32,))
PAGE = KeptPage("1" * 32, b'{"text": "kept"}', b"picture" * 1000)


@dataclass
class Sticks:
    """Implements vault_disks.Disks: images on loop devices; `kind` is "boot" for the station's own stick."""

    kind: Kind
    plugged: dict[str, tuple[Path, int]] = field(default_factory=dict)
    loops: dict[object, Path] = field(default_factory=dict)
    _count: int = 0

    def plug_in(self, image: Path) -> None:
        self._count += 1
        self.plugged[f"stick{self._count}"] = (image, self._count)

    def pull(self) -> None:
        """What a person pulls is gone at once; whoever has it mounted finds out."""
        self.plugged.clear()

    def present(self) -> tuple[Disk, ...]:
        return tuple(self._disk(name, image, count) for name, (image, count) in self.plugged.items())

    def _disk(self, name: str, image: Path, count: int) -> Disk:
        extent = partitions.vault_in(image) if _has_table(image) else None
        # The kernel lists the parts of a stick; of the station's own stick the helper reads the table itself.
        parts = () if extent is None or self.kind == "boot" else ((self.loop(image, extent.start), extent.size),)
        return Disk(name, self.loop(image), f"{name}-{count}", self.kind, "KINGSTON", STICK_BYTES, False, parts)

    def loop(self, of: Path, start: int = 0) -> Path:
        if (of, start) not in self.loops:
            self.loops[of, start] = _loop(of, start)
        return self.loops[of, start]

    def close(self) -> None:
        for device in reversed(self.loops.values()):
            subprocess.run(["losetup", "--detach", device], check=False)


def _loop(of: Path, start: int) -> Path:
    command = ["losetup", "--find", "--show", "--offset", str(start), str(of)]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def _has_table(image: Path) -> bool:
    return subprocess.run(["sfdisk", "--json", image], check=False, capture_output=True).returncode == 0


class Bench:
    """The helper's vaults on one stick at a time."""

    def __init__(self, room: Path, kind: Kind) -> None:
        self.room = room
        self.sticks = Sticks(kind)
        self.stages: list[str] = []
        self.vaults = DeviceVaults(self.sticks, lambda _: None, room / "mounts")

    def make(self) -> None:
        self.vaults.refresh()
        (place,) = self.vaults.report().places
        self.vaults.make(place.id, SECRET, RECOVERY, os.getuid(), self.stages.append)

    def unlock(self, secret: bytes) -> None:
        self.vaults.refresh()
        (vault,) = self.vaults.report().vaults
        self.vaults.unlock(vault.id, secret, os.getuid(), self.stages.append)

    def kept(self) -> list[KeptPage]:
        """What the history in the open vault has of the batch."""
        history = History()
        descriptor = self.vaults.folder()
        try:
            history.opened(Path(f"/proc/self/fd/{descriptor}"))
            return history.pages(BATCH.id) if BATCH in history.batches() else []
        finally:
            os.close(descriptor)

    def mounts(self) -> list[str]:
        lines = Path("/proc/thread-self/mountinfo").read_text().splitlines()
        return [line for line in lines if str(self.room) in line]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Bench]:
    opened: dict[str, Path] = {}

    def open_as(device: Path, name: str, passphrase: bytes) -> Path:
        luks.try_passphrase(device, passphrase)
        opened[name] = _loop(device, HEADER_BYTES)
        return opened[name]

    def close(name: str) -> None:
        subprocess.run(["losetup", "--detach", opened.pop(name)], check=True)

    quick = luks._slow(QUICK_KIB)
    monkeypatch.setattr(luks, "_slow", lambda _: quick)
    monkeypatch.setattr(luks, "open_as", open_as)
    monkeypatch.setattr(luks, "close", close)
    with own_mounts():
        bench = Bench(tmp_path, getattr(request, "param", "stick"))
        try:
            yield bench
        finally:
            bench.vaults.close()
            bench.sticks.close()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "stick.img"
    path.touch()
    os.truncate(path, STICK_BYTES)
    return path


def copied(image: Path) -> Path:
    """A stick as it is when it is pulled out now."""
    copy = image.with_name("pulled.img")
    subprocess.run(["cp", "--sparse=always", image, copy], check=True)
    return copy


def why(call: object, *arguments: object) -> object:
    assert callable(call)
    with pytest.raises(Problem) as caught:
        call(*arguments)
    return caught.value.kind


def test_a_stick_pulled_while_it_is_written_opens_again_with_all_that_was_kept(bench: Bench, image: Path) -> None:
    bench.sticks.plug_in(image)
    bench.make()
    assert bench.stages == ["partition", "encrypt", "filesystem", "open"]
    history = History()
    descriptor = bench.vaults.folder()
    folder = Path(f"/proc/self/fd/{descriptor}")
    history.opened(folder)
    history.keep(BATCH, [PAGE])
    assert history.write(folder) and history.waiting == 0
    (folder / "in flight").write_bytes(b"never flushed" * 10_000)
    uuid = bench.vaults.report().open
    assert uuid is not None

    pulled = copied(image)
    bench.sticks.pull()
    bench.vaults.refresh()
    report = bench.vaults.report()
    assert (report.open, report.vaults, report.places, report.gone) == (None, (), (), uuid.uuid)
    assert bench.mounts() == [], "out of sight, though the gateway still has its folder open"
    os.close(descriptor)
    assert why(bench.vaults.folder) is VAULT_GONE

    bench.sticks.plug_in(pulled)
    assert why(bench.unlock, b"a guess at it") is WRONG_PASSPHRASE
    bench.unlock(SECRET)
    opened = bench.vaults.report().open
    assert opened is not None and opened.uuid == uuid.uuid and bench.vaults.report().gone is None
    assert bench.kept() == [PAGE]


def test_a_vault_with_a_torn_superblock_is_mended_and_says_so(bench: Bench, image: Path) -> None:
    bench.sticks.plug_in(image)
    bench.make()
    history = History()
    descriptor = bench.vaults.folder()
    folder = Path(f"/proc/self/fd/{descriptor}")
    history.opened(folder)
    history.keep(BATCH, [PAGE])
    history.write(folder)
    os.close(descriptor)
    bench.vaults.lock()
    assert bench.mounts() == []
    extent = partitions.vault_in(image)
    assert extent is not None
    with bench.sticks.loop(image, extent.start).open("r+b") as blocks:
        blocks.seek(HEADER_BYTES + 1024)
        blocks.write(bytes(1024))
        os.fsync(blocks.fileno())
    bench.unlock(RECOVERY)
    opened = bench.vaults.report().open
    assert opened is not None and opened.repaired
    assert bench.kept() == [PAGE]


@pytest.mark.parametrize("bench", ["boot"], indirect=True)
def test_on_the_stations_own_stick_it_is_made_changed_and_erased_beside_the_stations_files(
    bench: Bench, image: Path
) -> None:
    table = b"label: gpt\nstart=2048, size=16384, name=station\n"
    subprocess.run(["sfdisk", "--quiet", image], input=table, check=True)
    before = os.urandom(16384 * 512)
    with image.open("r+b") as stick:
        stick.seek(2048 * 512)
        stick.write(before)
    bench.sticks.plug_in(image)
    bench.make()
    bench.vaults.change(SECRET, OTHER)
    bench.vaults.lock()
    assert why(bench.unlock, SECRET) is WRONG_PASSPHRASE
    bench.unlock(OTHER)
    bench.vaults.lock()
    (vault,) = bench.vaults.report().vaults
    bench.vaults.erase(vault.id)
    bench.vaults.refresh()
    report = bench.vaults.report()
    assert report.vaults == () and [place.kind for place in report.places] == ["boot"]
    with image.open("rb") as stick:
        stick.seek(2048 * 512)
        assert stick.read(len(before)) == before
