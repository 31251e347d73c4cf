"""Builds, killed and repeated: what is finished stays, and the bytes are the same."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from builder.bytediff import differences
from builder.inputs.store import sha256_of
from tests.integration.workshop import Workshop


def assert_same_bytes(ours: Path, theirs: Path) -> None:
    """And where they differ, in which file of which layer."""
    if sha256_of(ours) != sha256_of(theirs):
        pytest.fail("\n".join(map(str, differences(ours, theirs))))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_an_interrupted_build_leaves_nothing(workshop: Workshop, how: signal.Signals) -> None:
    assert workshop.stop_during("base", how) == 130
    assert workshop.leftovers() == []


def test_a_build_killed_in_any_step_leaves_nothing_and_goes_on_from_there(workshop: Workshop, iso: Path) -> None:
    for step in ("base", "python", "boot", "iso"):
        workshop.stop_during(step, signal.SIGKILL)
        assert workshop.leftovers() == [], f"after a kill during {step}"
    finished = {path.name.split("-")[0] for path in (workshop.cache / "layers").iterdir()}
    assert finished == {"base", "python", "station", "boot"}
    done = workshop.run("build", "--profile", "demo", "--locked")
    assert done.returncode == 0, done.stderr
    assert "build base" not in done.stdout, "a finished layer was built again"
    assert not any((workshop.cache / "work").rglob("*.squashfs"))


def test_another_folder_gives_the_same_bytes(workshop: Workshop, iso: Path) -> None:
    """Not one layer of this ISO comes from the cache of the other: see the test above."""
    ours = json.loads(workshop.iso.with_name(f"{workshop.iso.stem}.manifest.json").read_text())
    theirs = json.loads(iso.with_name(f"{iso.stem}.manifest.json").read_text())
    assert [layer["root_hash"] for layer in ours["layers"]] == [layer["root_hash"] for layer in theirs["layers"]]
    assert_same_bytes(workshop.iso, iso)


def test_umask_locale_and_clock_zone_change_nothing(workshop: Workshop, iso: Path) -> None:
    for name in ("station", "boot"):
        for folder in (workshop.cache / "layers").glob(f"{name}-*"):
            (folder / "done.json").unlink()
    odd = ("sh", "-c", 'umask 077; exec "$@"', "sh")
    done = workshop.run("build", "--profile", "demo", prefix=odd, TZ="Asia/Shanghai", LC_ALL="C", LANG="zh_CN.UTF-8")
    assert done.returncode == 0, done.stderr
    workshop.iso.unlink()
    done = workshop.run("build", "--profile", "demo", prefix=odd, TZ="Pacific/Chatham")
    assert done.returncode == 0, done.stderr
    assert_same_bytes(workshop.iso, iso)


@pytest.mark.full
def test_every_layer_is_the_same_from_nothing_under_another_umask_locale_and_zone(
    workshop: Workshop, iso: Path
) -> None:
    shutil.rmtree(workshop.cache / "layers")
    odd = ("sh", "-c", 'umask 027; exec "$@"', "sh")
    done = workshop.run("build", "--profile", "demo", prefix=odd, TZ="America/Caracas", LC_ALL="zh_CN.UTF-8")
    assert done.returncode == 0, done.stderr
    assert all(f"build {name}: done" in done.stdout for name in ("base", "python", "station", "boot"))
    assert_same_bytes(workshop.iso, iso)


def test_a_finished_build_does_nothing(workshop: Workshop) -> None:
    before = workshop.iso.stat().st_mtime_ns
    done = workshop.run("build", "--profile", "demo")
    assert "is up to date" in done.stdout
    assert workshop.iso.stat().st_mtime_ns == before


def test_a_changed_line_of_runtime_rebuilds_the_station_layer_alone(workshop: Workshop) -> None:
    with (workshop.root / "runtime/__init__.py").open("a") as file:
        file.write("# one more line\n")
    plan = json.loads(workshop.run("plan", "--json").stdout)
    assert [step["name"] for step in plan["steps"] if step["rebuild"]] == ["station"]
    assert "runtime/: __init__.py" in next(step["why"] for step in plan["steps"] if step["name"] == "station")
    before = sha256_of(workshop.iso)
    assert workshop.run("build", "--profile", "demo").returncode == 0
    assert sha256_of(workshop.iso) != before


def test_a_filled_store_builds_without_a_network(workshop: Workshop) -> None:
    for folder in (workshop.cache / "layers").glob("python-*"):
        (folder / "done.json").unlink()
    done = workshop.run("build", "--profile", "demo", "--locked", prefix=("unshare", "--net", "--"))
    assert done.returncode == 0, done.stderr


def test_a_store_is_carried_to_a_machine_without_a_network(workshop: Workshop, tmp_path: Path) -> None:
    """build.py itself sets itself up there from what was exported."""
    assert workshop.run("build", "--profile", "demo").returncode == 0
    carried = tmp_path / "carried"
    done = workshop.run("fetch", "--export", str(carried))
    assert done.returncode == 0, done.stderr
    fresh = Workshop(workshop.root, tmp_path / "cache")
    expected = sha256_of(workshop.iso)
    shutil.rmtree(workshop.root / "dist")
    offline = ("unshare", "--net", "--", sys.executable, "build.py")
    taken = fresh.run_program(*offline, "fetch", "--import", str(carried))
    assert taken.returncode == 0, taken.stderr
    built = fresh.run_program(*offline, "build", "--locked", "--yes")
    assert built.returncode == 0, built.stderr
    assert sha256_of(fresh.iso) == expected


def test_an_export_that_was_altered_on_the_way_is_refused_by_name(workshop: Workshop, tmp_path: Path) -> None:
    carried = tmp_path / "carried"
    assert workshop.run("fetch", "--export", str(carried)).returncode == 0
    listed = json.loads((carried / "inkstick-store.json").read_text())["files"]
    sha256 = min(listed, key=lambda key: int(listed[key]["size"]))
    file = carried / "files" / sha256
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    done = Workshop(workshop.root, tmp_path / "cache").run("fetch", "--import", str(carried))
    assert done.returncode == 5 and listed[sha256]["name"] in done.stderr
    done = workshop.run("fetch", "--import", str(tmp_path))
    assert done.returncode == 4 and "inkstick-store.json" in done.stderr


def test_a_second_build_of_the_same_cache_is_refused(workshop: Workshop) -> None:
    with (workshop.cache / "lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = workshop.run("build", "--profile", "demo")
    assert done.returncode == 4 and "another build is using" in done.stderr


@pytest.fixture
def aged(workshop: Workshop) -> Path:
    """The lock, with one package that no mirror has any more."""
    file = workshop.root / "profiles/demo.lock.json"
    lock = json.loads(file.read_text())
    (row,) = (row for row in lock["packages"] if row["name"] == "tzdata")
    row["version"], row["sha256"] = "2001a-1", "0" * 64
    row["path"] = "pool/main/t/tzdata/tzdata_2001a-1_all.deb"
    file.write_text(json.dumps(lock))
    return file


def test_an_aged_lock_is_refused_by_name_with_locked(workshop: Workshop, aged: Path) -> None:
    done = workshop.run("fetch", "--locked")
    assert done.returncode == 6
    assert "the mirror no longer has: tzdata 2001a-1" in done.stderr


def test_an_aged_lock_is_renewed_and_says_what_moved(workshop: Workshop, aged: Path) -> None:
    done = workshop.run("fetch")
    assert done.returncode == 0, done.stderr
    assert "tzdata 2001a-1 -> " in done.stdout
    assert "2001a-1" not in aged.read_text()


def test_a_user_without_a_range_of_ids_is_told_before_anything_happens(workshop: Workshop) -> None:
    assert os.geteuid() == 0
    done = workshop.run("build", prefix=("unshare", "--user", "--map-user=1000", "--"))
    assert done.returncode == 4 and "/etc/subuid gives" in done.stderr and "usermod --add-subuids" in done.stderr
