"""What programs of this kind heed by habit: the environment's settings, a shell's completion, exit codes."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from builder import errors
from builder.cache import Cache, exclusive
from builder.cli import app
from builder.errors import InkstickError, LockError
from builder.inputs.fetch import fetch
from builder.inputs.locking import _now
from builder.inputs.mirrors import DebianMirrors
from builder.inputs.store import Store
from builder.keys import ROOT
from builder.profile import available
from tests.unit.builder.test_fetch import deb, serving


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A proxy that answers any address with "content", and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"content")

        def log_message(self, format: str, *args: object) -> None: ...

    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with serving(Handler) as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        yield asked


def test_downloads_go_through_the_proxy_of_the_environment(proxy: list[str], tmp_path: Path) -> None:
    package = deb("a", b"content")
    fetch(Store(tmp_path), [package], lambda: DebianMirrors("http://mirror.invalid/debian", None))
    assert proxy == [f"http://mirror.invalid/debian/{package.path}"]
    assert Store(tmp_path).has(package.sha256, package.size)


def test_a_lock_takes_its_time_stamp_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert _now() == 1_700_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(LockError) as caught:
        _now()
    assert "SOURCE_DATE_EPOCH" in caught.value.message and "seconds" in caught.value.hint


def test_scratch_goes_where_tmpdir_says_and_a_killed_builds_is_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = Cache(tmp_path / "one"), Cache(tmp_path / "other")
    monkeypatch.delenv("TMPDIR", raising=False)
    assert one.scratch == one.work
    monkeypatch.setenv("TMPDIR", str(tmp_path / "large-disk"))
    assert one.scratch.parent == tmp_path / "large-disk" and one.scratch != other.scratch
    (one.scratch / "base/root").mkdir(parents=True)
    (one.scratch / "base/root/half").write_text("half")
    with exclusive(one):
        assert list(one.scratch.iterdir()) == []


def on_a_terminal(*words: str, **extra: str) -> str:
    """What build.py writes where its output is a terminal."""
    main, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **extra}
    for name in ("NO_COLOR", "FORCE_COLOR", "CI"):
        if name not in extra:
            environment.pop(name, None)
    argv = [sys.executable, "-m", "builder", *words]
    process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    said = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not piece:
            break
        said += piece
    process.wait()
    os.close(main)
    return said.decode()


COLOUR = re.compile(r"\x1b\[[\d;]*3[0-7][;m]")


def test_no_color_means_no_colour(tmp_path: Path) -> None:
    words = ("plan", "--profile", "none-of-that-name")
    assert COLOUR.search(on_a_terminal(*words))
    plain = on_a_terminal(*words, NO_COLOR="1")
    assert "error:" in plain and not COLOUR.search(plain)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """build.py as it is once its environment is there."""
    file = tmp_path / "build.py"
    # No shell in between: dash hands no variable on whose name has a dot in it, as the one of completion has.
    file.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'builder', *sys.argv[1:]])\n"
    )
    file.chmod(0o755)
    return file


_COMPLETE = """
source <("$1" --show-completion bash)
read -ra COMP_WORDS <<< "$2"
[[ "$2" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
_buildpy_completion "$1"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(program: Path, line: str) -> set[str]:
    """What bash offers after `line`, by the completion that build.py prints for it."""
    argv = ["bash", "-c", _COMPLETE, "bash", str(program), line]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_bash_completes_commands_options_and_profiles(program: Path) -> None:
    offered = completed(program, "build.py p")
    assert {"plan", "profiles"} <= offered and "lock" not in offered
    assert "--older-than" in completed(program, "build.py clean --o")
    assert set(available()) <= completed(program, "build.py plan --profile ")


def test_build_py_can_be_called_by_its_name() -> None:
    """Completion hangs on the name of a program: `./build.py`, not `python3 build.py`."""
    assert os.access(ROOT / "build.py", os.X_OK)


def family(kind: type[InkstickError]) -> set[type[InkstickError]]:
    return {kind, *(each for child in kind.__subclasses__() for each in family(child))}


def test_every_exit_code_is_in_the_help_and_in_the_documentation() -> None:
    codes = {kind.exit_code for kind in family(errors.InkstickError)} | {0, 2, 130}
    helped = re.sub(r"\s+", " ", app.info.help or "").split("Exit codes:")[1]
    page = (ROOT / "docs/building.md").read_text()
    for code in codes:
        assert re.search(rf"\b{code} \w", helped), f"{code} in --help"
        assert f"| {code} |" in page, f"{code} in docs/building.md"


def test_every_variable_that_the_builder_heeds_is_documented() -> None:
    page = (ROOT / "docs/building.md").read_text()
    named = re.compile(r'"((?:INKSTICK|UV|PIP)_[A-Z_]+|SOURCE_DATE_EPOCH|TMPDIR|XDG_CACHE_HOME)"')
    sources = [*(ROOT / "builder").rglob("*.py"), ROOT / "build.py"]
    found = {name for file in sources for name in named.findall(file.read_text())} - {"INKSTICK_TEST_ISO"}
    assert {"INKSTICK_CACHE", "INKSTICK_CACHE_LIMIT", "UV_DEFAULT_INDEX", "TMPDIR"} <= found
    assert [name for name in sorted(found) if f"`{name}`" not in page] == []
