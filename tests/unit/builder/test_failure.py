"""A failed step shows the command that failed, the lines that matter, a remedy, and where its log is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from builder.errors import StepError
from builder.failure import UNKNOWN, explain
from builder.run import run

TRACEBACK = """\
Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "/x/layers/base.py", line 44, in main
    subprocess.run(argv, check=True)
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
subprocess.CalledProcessError: Command '['depmod']' returned non-zero exit status 1.
"""


def failing(tmp_path: Path, script: str) -> StepError:
    with pytest.raises(StepError) as caught:
        run([sys.executable, "-c", script], log=tmp_path / "step.log")
    return caught.value


def test_the_innermost_command_is_named_and_its_error_is_not_lost_in_what_follows(tmp_path: Path) -> None:
    script = (
        "print('$ mmdebstrap trixie')\n"
        "print('E: Unable to locate package foo')\n"
        "for n in range(500): print('@progress', n, 500); print('cleaning up', n)\n"
        "raise SystemExit(25)"
    )
    error = failing(tmp_path, script)
    assert "exit status 25: mmdebstrap trixie" in error.message
    assert "E: Unable to locate package foo" in error.message and "@progress" not in error.message
    assert len(error.message.splitlines()) <= 13
    assert "lock" in error.hint and error.log == tmp_path / "step.log"
    assert "cleaning up 3\n" in (tmp_path / "step.log").read_text(), "the log has every line"


def test_a_traceback_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"$ depmod 6.12\ndepmod: ERROR: bad file\n{TRACEBACK}")
    found = explain(tmp_path / "log")
    assert found.command == "depmod 6.12" and found.lines == ["depmod: ERROR: bad file"]


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("write error: No space left on device", "clean"),
        ("curl: (6) Could not resolve host: mirror.example", "builds have none"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "builds have none"),
        ("fork: Cannot allocate memory", "memory"),
        ("something else", UNKNOWN),
    ],
)
def test_known_causes_have_a_remedy(tmp_path: Path, line: str, remedy: str) -> None:
    (tmp_path / "log").write_text(f"$ tool\n{line}\n")
    assert remedy in explain(tmp_path / "log").remedy
