"""Linters as tests: what they find fails the build like any other mistake."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from builder.keys import ROOT

LONGEST_MODULE = 400
_SOURCES = (".py", ".sh", ".js", ".css", ".html", ".j2")
_HOSTS = re.compile(r"https?://[a-z.-]*(debian|pypi|pythonhosted|npmjs)\.")
_VAGUE = re.compile(r"(^|/)(utils?|helpers?|misc|common|manager)(\.\w+|/)")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "-c", "core.quotePath=off", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def own_sources() -> list[Path]:
    return [file for file in tracked() if file.suffix in _SOURCES and "vendor" not in file.parts]


@pytest.mark.parametrize("words", [["ruff", "check", "."], ["mypy", "--no-error-summary"]], ids=["ruff", "mypy"])
def test_python_is_clean(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_shell_is_clean() -> None:
    scripts = [file for file in tracked() if _is_shell(file)]
    assert scripts
    done = subprocess.run(
        ["shellcheck", "--external-sources", *scripts], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def _is_shell(file: Path) -> bool:
    with file.open("rb") as handle:
        first = handle.readline(80)
    return file.suffix == ".sh" or re.match(rb"#!.*\b(ba|da)?sh\b", first) is not None


def test_modules_hold_one_idea() -> None:
    long = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in own_sources()}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_MODULE} == {}


def test_names_say_what_is_in_them() -> None:
    assert [str(file) for file in tracked() if _VAGUE.search(str(file.relative_to(ROOT)))] == []


def test_no_registry_is_named() -> None:
    texts = [file for file in tracked() if "vendor" not in file.parts and file.suffix not in (".png", ".lock")]
    assert [str(file) for file in texts if _HOSTS.search(file.read_text(errors="replace"))] == []


def test_builder_and_runtime_meet_only_in_files() -> None:
    for room, other in (("builder", "runtime"), ("runtime", "builder")):
        for file in (ROOT / room).rglob("*.py"):
            assert not re.search(rf"^\s*(from|import) {other}\b", file.read_text(), re.MULTILINE), file
