"""NVIDIA's own installer: extracted, never run, and laid out by name. Tried on a small archive of the same make."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from builder.cache import Cache
from builder.errors import LockError
from builder.inputs.lock import Lock, RunFile, lock_path, read_lock
from builder.inputs.operators import with_operators_inputs
from builder.inputs.store import sha256_of
from builder.keys import ROOT
from builder.layers import runfile
from builder.profile import Profile, load_profile

VERSION = "580.95.05"
STATION_USERS = "overlay/rootfs/usr/lib/sysusers.d/inkstick.conf"
HEAD = b"""#!/bin/sh
# An installer as makeself writes them: a script, and an archive behind it.
[ "$1" = --extract-only ] && [ "$2" = --target ] || { echo "this would install a driver" >&2; exit 1; }
mkdir "$3" && tail -n +6 "$0" | tar -x -C "$3"
exit $?
"""
FILES = {
    f"libcuda.so.{VERSION}": b"cuda",
    f"libnvidia-ml.so.{VERSION}": b"ml",
    f"libGL.so.{VERSION}": b"gl",
    f"libcudadebugger.so.{VERSION}": b"debugger",
    f"32/libcuda.so.{VERSION}": b"for 32-bit programs",
    "nvidia_icd.json": b"vulkan",
    "LICENSE": b"the terms",
    "nvidia-smi": b"smi",
    "nvidia-modprobe": b"modprobe",
    "nvidia-persistenced": b"persistenced",
    "firmware/gsp_ga10x.bin": b"gsp",
    "kernel/Kbuild": b"",
    "kernel-open/Kbuild": b"",
}


def write_run(file: Path, files: dict[str, bytes] = FILES) -> Path:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o4755 if name.startswith("nvidia-") else 0o644
            archive.addfile(entry, io.BytesIO(content))
    file.write_bytes(HEAD + body.getvalue())
    return file


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the build's own Debian; programs run here, on paths inside it."""
    place = tmp_path / "root"
    (place / "tmp").mkdir(parents=True)

    def enter(folder: Path, *words: str) -> None:
        inside = [f"{folder}{word}" if word.startswith("/") else word for word in words]
        subprocess.run(inside, check=True)

    monkeypatch.setattr(runfile, "chroot", enter)
    monkeypatch.setattr(runfile, "soname", lambda file: f"{file.name.partition('.so')[0]}.so.1")
    return place


def test_the_archive_is_extracted_and_its_installer_not_run(root: Path, tmp_path: Path) -> None:
    folder = runfile.extract(root, write_run(tmp_path / "driver.run"))
    assert (folder / "kernel-open/Kbuild").is_file()
    assert not (root / "tmp/driver.run").exists()


def test_computing_gets_its_libraries_and_nothing_that_draws(root: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    runfile.lay_out(runfile.extract(root, write_run(tmp_path / "driver.run")), tree, VERSION)
    libraries = {path.name for path in (tree / "usr/lib/x86_64-linux-gnu").iterdir()}
    assert libraries == {
        *(f"libcuda.so.{VERSION}", "libcuda.so.1"),
        *(f"libnvidia-ml.so.{VERSION}", "libnvidia-ml.so.1"),
    }
    assert (tree / f"usr/lib/firmware/nvidia/{VERSION}/gsp_ga10x.bin").read_bytes() == b"gsp"
    assert (tree / "usr/bin/nvidia-modprobe").stat().st_mode & 0o7777 == 0o755
    assert (tree / "usr/share/doc/nvidia-driver/copyright").read_bytes() == b"the terms"
    laid_out = [path.read_bytes() for path in tree.rglob("*") if path.is_file()]
    assert not {b"gl", b"debugger", b"for 32-bit programs", b"vulkan"} & set(laid_out)


def test_the_persistence_daemon_gets_the_unit_and_the_user_that_debians_package_would_bring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, ...]] = []
    monkeypatch.setattr(runfile, "chroot", lambda root, *words: called.append(words))
    runfile.settle(tmp_path)
    unit = (tmp_path / "usr/lib/systemd/system/nvidia-persistenced.service").read_text()
    user = re.search(r"^ExecStart=/usr/bin/nvidia-persistenced --user (\w+)$", unit, re.MULTILINE)
    assert user and called == [("systemd-sysusers",)]
    numbers = {}
    for file in (tmp_path / "usr/lib/sysusers.d/nvidia-persistenced.conf", ROOT / STATION_USERS):
        for line in file.read_text().splitlines():
            if line.startswith("u "):
                numbers[line.split()[1]] = line.split()[2]
    assert user[1] in numbers and len(set(numbers.values())) == len(numbers)


def test_an_installer_of_another_version_is_refused(root: Path, tmp_path: Path) -> None:
    folder = runfile.extract(root, write_run(tmp_path / "driver.run"))
    with pytest.raises(SystemExit, match=r"libcuda\.so\.590\.1"):
        runfile.lay_out(folder, tmp_path / "tree", "590.1")


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setattr("builder.inputs.operators.lock_path", lambda profile: tmp_path / "x.lock.json")
    loaded = load_profile("4090d-cuda13")
    assert loaded.driver and loaded.model
    driver = loaded.driver.model_copy(update={"runfile": write_run(tmp_path / "driver.run")})
    return loaded.model_copy(update={"driver": driver, "model": loaded.model.instead("synthetic")})


@pytest.fixture
def lock() -> Lock:
    found = read_lock(lock_path(load_profile("4090d-cuda13")))
    assert found is not None
    return found.model_copy(update={"runfile": None})


def test_the_first_lock_pins_the_installer_and_later_ones_hold_to_it(
    profile: Profile, lock: Lock, tmp_path: Path
) -> None:
    cache = Cache(tmp_path / "cache")
    pinned = with_operators_inputs(profile, cache, lock, locked=False)
    file = tmp_path / "driver.run"
    assert pinned.runfile == RunFile(version=VERSION, size=file.stat().st_size, sha256=sha256_of(file))
    write_run(file, {**FILES, "nvidia-smi": b"other"})
    with pytest.raises(LockError, match="not what was pinned"):
        with_operators_inputs(profile, cache, pinned, locked=False)


def test_an_installer_that_is_not_there_is_asked_for_by_version(profile: Profile, lock: Lock, tmp_path: Path) -> None:
    (tmp_path / "driver.run").unlink()
    with pytest.raises(LockError) as caught:
        with_operators_inputs(profile, Cache(tmp_path / "cache"), lock, locked=False)
    assert VERSION in caught.value.hint


def test_with_locked_an_unpinned_installer_is_refused(profile: Profile, lock: Lock, tmp_path: Path) -> None:
    with pytest.raises(LockError, match="not locked yet"):
        with_operators_inputs(profile, Cache(tmp_path / "cache"), lock, locked=True)
