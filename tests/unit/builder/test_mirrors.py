"""Mirrors: this machine's own settings decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import HostError
from builder.inputs.mirrors import debian_mirrors, wheel_index
from builder.profile import load_profile

DEB822 = """\
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
"""


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


def test_the_profile_has_the_last_word(tmp_path: Path) -> None:
    profile = load_profile("demo")
    debian = profile.debian.model_copy(update={"mirror": "http://own.example/debian/"})
    found = debian_mirrors(profile.model_copy(update={"debian": debian}), tmp_path)
    assert found.debian == "http://own.example/debian"


def test_uvs_index_comes_before_pips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://pip.example/simple")
    assert wheel_index() == "http://pip.example/simple"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://uv.example/simple/")
    assert wheel_index() == "http://uv.example/simple"


def test_the_environment_comes_before_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKSTICK_DEBIAN_MIRROR", "http://near.example/debian/")
    monkeypatch.setenv("INKSTICK_DEBIAN_SECURITY_MIRROR", "http://near.example/security")
    profile = load_profile("demo")
    debian = profile.debian.model_copy(update={"mirror": "http://own.example/debian/"})
    found = debian_mirrors(profile.model_copy(update={"debian": debian}), tmp_path)
    assert (found.debian, found.security) == ("http://near.example/debian", "http://near.example/security")
