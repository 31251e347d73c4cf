"""What this machine lacks is told before anything runs, with the remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from builder import preflight
from builder.cache import Cache
from builder.errors import HostError
from builder.inputs.lock import lock_path, read_lock
from builder.plan import make_plan
from builder.profile import load_profile

TOOLS = {"mksquashfs": "squashfs-tools", "xorriso": "xorriso"}


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A machine without any tool; what would have been run is kept."""
    ran: list[list[str]] = []

    def run(argv: list[str], **_: object) -> SimpleNamespace:
        ran.append(argv)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(preflight, "_present", lambda tool: tool.startswith("/"))
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return ran


def test_another_distribution_gets_the_names_and_nothing_happens(
    bare: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "_is_debian", lambda: False)
    with pytest.raises(HostError) as caught:
        preflight.ensure_tools(TOOLS, yes=True)
    assert "squashfs-tools xorriso" in caught.value.message
    assert bare == []


def test_a_no_installs_nothing(bare: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_is_debian", lambda: True)
    monkeypatch.setattr(preflight, "_agreed", lambda: False)
    with pytest.raises(HostError):
        preflight.ensure_tools(TOOLS, yes=False)
    assert bare == []


def test_yes_installs_exactly_what_is_missing(bare: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_is_debian", lambda: True)
    preflight.ensure_tools(TOOLS, yes=True)
    assert bare[-1][-2:] == ["squashfs-tools", "xorriso"]


def test_a_machine_that_has_everything_is_left_in_peace(
    bare: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(preflight, "_present", lambda tool: True)
    preflight.ensure_tools(TOOLS, yes=False)
    assert bare == [] and capsys.readouterr().out == ""


def test_too_small_a_disk_is_told_with_both_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = load_profile("demo")
    lock = read_lock(lock_path(profile))
    assert lock is not None
    cache = Cache(tmp_path)
    plan = make_plan(profile, lock, cache)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(HostError) as caught:
        preflight.check_disk(plan, cache, tmp_path / "dist")
    assert "1000 B free" in caught.value.message and "GiB wanted" in caught.value.message
    assert "INKSTICK_CACHE" in caught.value.hint
