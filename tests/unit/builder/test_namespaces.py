"""What keeps an ordinary user from building is named, each with its remedy."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest

from builder import namespaces
from builder.errors import HostError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """/etc and /proc/sys of a machine where all is well, for this very user."""
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    user = pwd.getpwuid(os.geteuid()).pw_name
    for name in ("subuid", "subgid"):
        (tmp_path / name).write_text(f"other:100000:65536\n{user}:165536:65536\n")
    for name, value in {
        "user/max_user_namespaces": "96365",
        "kernel/unprivileged_userns_clone": "1",
        "kernel/apparmor_restrict_unprivileged_userns": "0",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{value}\n")
    return tmp_path


def test_nothing_is_missing_where_all_is_there(machine: Path) -> None:
    assert namespaces.missing(machine, machine) == []


@pytest.mark.parametrize(
    ("file", "text", "what", "remedy"),
    [
        ("subuid", "other:100000:65536\n", "/etc/subuid", "usermod --add-subuids"),
        ("subgid", "", "/etc/subgid", "usermod --add-subgids"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces", "sysctl -w user.max_user_namespaces="),
        ("kernel/unprivileged_userns_clone", "0", "unprivileged_userns_clone", "unprivileged_userns_clone=1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "apparmor", "apparmor_restrict_unprivileged_userns=0"),
    ],
)
def test_each_lack_has_its_remedy(machine: Path, file: str, text: str, what: str, remedy: str) -> None:
    (machine / file).write_text(text)
    ((told, cure),) = namespaces.missing(machine, machine)
    assert what in told and remedy in cure


def test_a_range_that_is_too_small_is_none(machine: Path) -> None:
    (machine / "subuid").write_text(f"{os.geteuid()}:100000:1000\n")
    assert len(namespaces.missing(machine, machine)) == 1


def test_the_package_of_newuidmap_is_named(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    with pytest.raises(HostError) as caught:
        namespaces.require_rights()
    assert "newuidmap" in caught.value.message and "apt install uidmap" in caught.value.hint
    assert "sudo" in caught.value.hint


def test_root_needs_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    namespaces.require_rights()
    assert "--user" not in namespaces.enter()
