"""The lock: what it holds, and how a change of it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builder.errors import LockError
from builder.inputs.lock import DebianPackage, Lock, Wheel, lock_path, moved, read_lock, what_is_asked, write_lock
from builder.profile.load import available, load_profile


def package(name: str, version: str) -> DebianPackage:
    path = f"pool/main/{name[0]}/{name}/{name}_{version}_amd64.deb"
    return DebianPackage(
        name=name, version=version, arch="amd64", archive="debian", path=path, size=1, sha256="a" * 64, use="base"
    )


def wheel(project: str, version: str) -> Wheel:
    file_name = f"{project}-{version}-py3-none-any.whl"
    return Wheel(project=project, version=version, file_name=file_name, size=1, sha256="b" * 64)


def lock(*items: DebianPackage | Wheel) -> Lock:
    return Lock(
        asked="x",
        source_date_epoch=1,
        packages=tuple(item for item in items if isinstance(item, DebianPackage)),
        wheels=tuple(item for item in items if isinstance(item, Wheel)),
    )


def test_a_lock_survives_being_written_and_read(tmp_path: Path) -> None:
    one = lock(package("bash", "5.2"), wheel("numpy", "2.0"))
    write_lock(one, tmp_path / "x.lock.json")
    assert read_lock(tmp_path / "x.lock.json") == one


def test_each_input_has_a_line_of_its_own(tmp_path: Path) -> None:
    write_lock(lock(package("bash", "5.2"), package("dash", "0.5")), tmp_path / "x.lock.json")
    lines = (tmp_path / "x.lock.json").read_text().splitlines()
    assert sum('"name": "' in line for line in lines) == 2


def test_what_moved_is_told_from_what_to_what() -> None:
    old = lock(package("chromium", "150"), package("gone", "1"), wheel("numpy", "2.0"))
    new = lock(package("chromium", "151"), package("new", "3"), wheel("numpy", "2.0"))
    assert moved(old, new) == ["chromium 150 -> 151", "- gone 1", "+ new 3"]


def test_a_file_that_is_no_lock_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "x.lock.json").write_text('{"format": 1}')
    with pytest.raises(LockError) as caught:
        read_lock(tmp_path / "x.lock.json")
    assert "build.py lock" in caught.value.hint


@pytest.mark.parametrize("name", available())
def test_the_lock_that_ships_answers_its_profile(name: str) -> None:
    profile = load_profile(name)
    found = read_lock(lock_path(profile))
    assert found is not None and found.asked == what_is_asked(profile)


@pytest.mark.parametrize("name", available())
def test_a_lock_that_ships_holds_relative_paths_only(name: str) -> None:
    text = lock_path(load_profile(name)).read_text()
    assert "://" not in text
    assert all(not row["path"].startswith("/") for row in json.loads(text)["packages"])


def test_a_changed_line_in_an_included_requirements_file_makes_the_lock_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "a.in").write_text("-r b.in\nvllm\n")
    (tmp_path / "b.in").write_text("numpy\n")
    monkeypatch.setattr("builder.inputs.lock.PROFILES", tmp_path / "profiles")
    profile = load_profile("demo")
    python = profile.python.model_copy(update={"requirements": Path("a.in"), "overrides": None})
    profile = profile.model_copy(update={"python": python})
    before = what_is_asked(profile)
    (tmp_path / "b.in").write_text("numpy\npillow\n")
    assert what_is_asked(profile) != before
