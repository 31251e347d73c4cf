"""The command line, run as its user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builder.cli import _with_default_command
from builder.keys import ROOT


def build_py(*words: str, cache: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "INKSTICK_CACHE": str(cache), "COLUMNS": "80"}
    return subprocess.run(
        [sys.executable, "-m", "builder", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--profile", "demo"], ["build", "--profile", "demo"]),
        (["--profile", "plan"], ["build", "--profile", "plan"]),
        (["--yes"], ["build", "--yes"]),
        (["plan", "--profile", "demo"], ["plan", "--profile", "demo"]),
        (["--help"], ["--help"]),
        ([], []),
    ],
)
def test_build_is_the_default_command(words: list[str], expected: list[str]) -> None:
    assert _with_default_command(words) == expected


def test_a_profile_error_comes_at_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    started = time.monotonic()
    done = build_py("--profile", "dmeo", cache=tmp_path / "cache")
    elapsed = time.monotonic() - started
    assert done.returncode == 3
    assert "there is no profile 'dmeo'" in done.stderr and "did you mean 'demo'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "cache").exists(), f"something was set up in {elapsed:.1f} s"


def test_a_file_that_is_no_iso_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "x.iso").write_bytes(b"not an ISO" * 1000)
    done = build_py("verify", str(tmp_path / "x.iso"), cache=tmp_path)
    assert done.returncode == 8
    assert "remedy:" in done.stderr and "Traceback" not in done.stderr


def test_profiles_are_listed_as_json(tmp_path: Path) -> None:
    done = build_py("profiles", "--json", cache=tmp_path)
    assert done.returncode == 0 and '"demo"' in done.stdout


@pytest.mark.parametrize(
    "command", ["build", "plan", "lock", "fetch", "verify", "boot", "serve", "profiles", "clean", "test"]
)
def test_every_command_explains_itself(command: str, tmp_path: Path) -> None:
    done = build_py(command, "--help", cache=tmp_path)
    assert done.returncode == 0 and "Usage:" in done.stdout
