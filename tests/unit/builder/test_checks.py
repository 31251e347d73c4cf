"""Everything that stands in a build's way is found before it starts: at once, and each thing with its remedy."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from builder import checks
from builder.cache import Cache
from builder.errors import HostError
from builder.inputs.lock import DebianPackage, lock_path, read_lock
from builder.plan import Plan, make_plan
from builder.profile import load_profile
from builder.steps import tools

GIBIBYTE = 1 << 30


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(checks, "free_bytes", lambda folder: 1 << 50)
    return Cache(tmp_path / "cache")


@pytest.fixture
def plan(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setattr(tools, "tool_version", lambda name: f"{name} 1.0")
    profile = load_profile("demo")
    lock = read_lock(lock_path(profile))
    assert lock is not None
    return make_plan(profile, lock, cache)


def found(plan: Plan, cache: Cache, dist: Path) -> str:
    return " ".join(f"{problem.what}; {problem.remedy}" for problem in checks.problems(plan, cache, dist))


def test_this_machine_is_fit_and_says_so_within_two_seconds(plan: Plan, cache: Cache, tmp_path: Path) -> None:
    started = time.process_time()
    checks.check(plan, cache, tmp_path / "dist")
    assert time.process_time() - started < 2
    assert not cache.root.exists(), "nothing is made by looking"


def test_too_old_a_tool_is_named_with_its_package(
    plan: Plan, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin/mksquashfs"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho mksquashfs version 4.3-git.1 '(2014/09/12)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    said = found(plan, cache, tmp_path)
    assert "mksquashfs 4.3 is too old: 4.4 is needed" in said and "squashfs-tools" in said


def other_headers(plan: Plan) -> Plan:
    row = next(package for package in plan.lock.packages if package.name.startswith("linux-image-6"))
    fields = {**row.model_dump(), "name": "linux-headers-5.1.0-1-amd64", "use": "driver-build"}
    lock = plan.lock.model_copy(update={"packages": (*plan.lock.packages, DebianPackage.model_validate(fields))})
    return replace(plan, lock=lock)


def large_layer(plan: Plan) -> Plan:
    return replace(plan, sizes={**plan.sizes, "python": 5 * GIBIBYTE})


@pytest.mark.parametrize(
    ("spoil", "what", "remedy"),
    [
        (other_headers, "headers for 5.1.0-1", "build.py lock"),
        (large_layer, "layer python will take about 5.00 GiB", "python: {layers:"),
    ],
)
def test_what_the_plan_itself_cannot_keep_is_named(
    plan: Plan, cache: Cache, tmp_path: Path, spoil: Callable[[Plan], Plan], what: str, remedy: str
) -> None:
    said = found(spoil(plan), cache, tmp_path)
    assert what in said and remedy in said


def test_the_real_locks_have_headers_of_their_kernel() -> None:
    for name in ("4090d", "4090d-cuda13"):
        lock = read_lock(lock_path(load_profile(name)))
        assert lock is not None and list(checks.kernels_apart(lock)) == []
        assert checks._kernels(lock, "driver-build", "headers"), "nothing was compared"


def test_a_limit_on_files_is_named(plan: Plan, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (100_000_000, resource.RLIM_INFINITY))
    said = found(plan, cache, tmp_path)
    assert "no file grow beyond 95.4 MiB" in said and "ulimit -f unlimited" in said


def test_fat_holds_no_large_iso(plan: Plan, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "file_system", lambda folder: "vfat")
    assert "is on FAT" not in found(plan, cache, tmp_path)
    assert "is on FAT" in found(replace(plan, iso_bytes=5 * GIBIBYTE), cache, tmp_path)


def test_the_file_system_of_a_folder_that_is_not_there_yet_is_that_above_it() -> None:
    assert checks.file_system(Path("/proc/1")) == "proc"
    assert checks.file_system(Path("/proc/none/of/these")) == "proc"


def test_a_folder_that_cannot_be_written_is_named(
    plan: Plan, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: "dist" not in str(path))
    (tmp_path / "dist").mkdir()
    said = found(plan, cache, tmp_path / "dist")
    assert f"{tmp_path / 'dist'} cannot be written" in said and "INKSTICK_CACHE" not in said


def free_by_folder(monkeypatch: pytest.MonkeyPatch, free: dict[str, int], *, apart: bool) -> None:
    """Disks with this much room: each folder its own, or all one."""
    monkeypatch.setattr(checks, "free_bytes", lambda folder: free.get(folder.name, 1 << 50))
    if apart:
        monkeypatch.setattr(checks, "device", lambda folder: hash(folder.name))


def test_disks_of_store_layers_scratch_and_dist_are_checked_each_by_itself(
    plan: Plan, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist = tmp_path / "dist"
    for folder in (cache.store, cache.layers, cache.work, dist):
        folder.mkdir(parents=True)
    for name in ("store", "layers", "work", "dist"):
        free_by_folder(monkeypatch, {name: 1000}, apart=True)
        (problem,) = checks.too_little_room(plan, cache, dist)
        assert f"/{name} " in problem.what and "1000 B free" in problem.what
        assert "clean" in problem.remedy and "INKSTICK_CACHE" in problem.remedy and "TMPDIR" in problem.remedy


def test_on_one_disk_the_worst_moment_counts_and_not_the_sum(
    plan: Plan, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.root.mkdir()
    monkeypatch.setattr(checks, "free_bytes", lambda folder: plan.disk.total)
    assert list(checks.too_little_room(plan, cache, tmp_path / "dist")) == []
    monkeypatch.setattr(checks, "free_bytes", lambda folder: plan.disk.total - 1)
    (problem,) = checks.too_little_room(plan, cache, tmp_path / "dist")
    assert "wanted at peak" in problem.what


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("name", ["signing_key", "runfile"])
def test_a_file_that_is_anothers_is_told_before_anything_runs(tmp_path: Path, name: str) -> None:
    file = tmp_path / "mine"
    file.write_text("secret")
    file.chmod(0o600)
    profile = load_profile("4090d")
    assert profile.driver is not None
    theirs = profile.model_copy(update={"driver": profile.driver.model_copy(update={name: file})})
    assert list(checks.unreadable_files(theirs)) == []
    ours, there = os.pipe()
    child = os.fork()
    if child == 0:  # root may read everything
        try:
            os.setresuid(65534, 65534, 65534)
            os.write(there, repr(list(checks.unreadable_files(theirs))).encode())
        finally:
            os._exit(0)
    os.close(there)
    with open(ours) as said:
        told = said.read()
    os.waitpid(child, 0)
    assert told.count("Problem(") == 1 and name in told and "setfacl -m u:65534:r" in told


def test_a_driver_wants_root_and_says_so_at_the_start(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    driven = replace(plan, to_do=("base", "modules", "driver"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (problem,) = checks.driver_without_root(driven)
    assert "modules" in problem.what and "sudo" in problem.remedy
    assert list(checks.driver_without_root(plan)) == []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert list(checks.driver_without_root(driven)) == []


def test_several_problems_are_told_together(plan: Plan, cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        checks.check(other_headers(large_layer(plan)), cache, tmp_path)
    assert "2 things stand in the way" in caught.value.message
    assert caught.value.message.count("remedy:") == 2
