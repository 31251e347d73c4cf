"""What this machine lacks is told before anything runs, with the remedy."""

from __future__ import annotations

import os
import subprocess
from types import SimpleNamespace

import pytest

from builder import preflight
from builder.errors import HostError

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
