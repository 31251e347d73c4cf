"""Mirrors: this machine's own settings decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import HostError
from builder.inputs.lock import lock_path, read_lock, what_is_asked
from builder.inputs.mirrors import debian_mirrors, hub_settings, wheel_index
from builder.inputs.store import Store
from builder.plan import make_steps
from builder.profile import Profile, load_profile
from builder.profile.model import Mirrors

DEB822 = """\
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
"""


def with_mirrors(**addresses: str) -> Profile:
    return load_profile("demo").model_copy(update={"mirrors": Mirrors.model_validate(addresses)})


def test_deb822_sources_are_read(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(DEB822)
    found = debian_mirrors(load_profile("demo"), tmp_path)
    assert (found.debian, found.security) == ("http://mirror.example/debian", "http://mirror.example/debian-security")


def test_one_line_sources_are_read(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb [arch=amd64] http://mirror.example/debian/ trixie main\n")
    found = debian_mirrors(load_profile("demo"), tmp_path)
    assert (found.debian, found.security) == ("http://mirror.example/debian", None)


def test_other_repositories_are_not_taken_for_debian(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://vendor.example/apt stable main\n")
    with pytest.raises(HostError) as caught:
        debian_mirrors(load_profile("demo"), tmp_path)
    assert "mirror" in caught.value.hint


def test_the_profile_comes_before_the_machine(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://mirror.example/debian/ trixie main\n")
    found = debian_mirrors(with_mirrors(debian="http://own.example/debian/"), tmp_path)
    assert found.debian == "http://own.example/debian"


def test_uvs_index_comes_before_pips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://pip.example/simple")
    assert wheel_index() == "http://pip.example/simple"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://uv.example/simple/")
    assert wheel_index() == "http://uv.example/simple"


def test_the_environment_comes_before_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKSTICK_DEBIAN_MIRROR", "http://near.example/debian/")
    monkeypatch.setenv("INKSTICK_DEBIAN_SECURITY_MIRROR", "http://near.example/security")
    found = debian_mirrors(with_mirrors(debian="http://own.example/debian/"), tmp_path)
    assert (found.debian, found.security) == ("http://near.example/debian", "http://near.example/security")


def test_the_index_of_wheels_may_be_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    assert wheel_index("https://own.example/simple/") == "https://own.example/simple"
    monkeypatch.setenv("UV_INDEX_URL", "http://near.example/simple")
    assert wheel_index("https://own.example/simple/") == "http://near.example/simple"


def test_the_hub_may_be_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert hub_settings("huggingface", "https://own.example/hub/") == {"HF_ENDPOINT": "https://own.example/hub"}
    assert hub_settings("huggingface", None) == {}
    monkeypatch.setenv("HF_ENDPOINT", "http://near.example")
    assert hub_settings("huggingface", "https://own.example/hub/") == {}


def test_mirrors_move_neither_lock_nor_layers_nor_iso() -> None:
    plain, behind = load_profile("demo"), with_mirrors(debian="http://a.example", wheels="http://b.example")
    assert what_is_asked(plain) == what_is_asked(behind)
    assert plain.model_dump(exclude={"mirrors"}) == behind.model_dump(exclude={"mirrors"})
    lock = read_lock(lock_path(plain))
    assert lock is not None
    store = Store(Path("nowhere"))
    assert [step.key for step in make_steps(plain, lock, store)] == [
        step.key for step in make_steps(behind, lock, store)
    ]
