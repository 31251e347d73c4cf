"""A stage of tests, run by pytest itself: what fails at the first try, at both, and too often."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from builder.errors import StepError
from builder.testing import MOST_SECOND_TRIES, run_stage

_FALTERS = """
from pathlib import Path

def test_falters():
    tried = Path(__file__).with_name("tried")
    tried.open("a").write("x")
    assert len(tried.read_text()) > 1

def test_holds():
    Path(__file__).with_name("held").open("a").write("x")
"""


def run(root: Path, tests: str, *, second_try: bool = True) -> None:
    folder = root / "tests/made"
    folder.mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (folder / "test_made.py").write_text(tests)
    argv = [sys.executable, "-m", "pytest", "-q", "tests/made"]
    run_stage(argv, dict(os.environ), "made", second_try=second_try, root=root)


def test_what_passes_at_the_second_try_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, _FALTERS)
    told = capsys.readouterr().out
    assert "passed at the second try only, and to be mended: tests/made/test_made.py::test_falters" in told
    assert (tmp_path / "tests/made/held").read_text() == "x", "what had passed is not run again"


def test_one_try_is_all_there_is_unless_a_second_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(StepError):
        run(tmp_path, _FALTERS, second_try=False)


def test_what_fails_twice_fails(tmp_path: Path) -> None:
    with pytest.raises(StepError):
        run(tmp_path, "def test_fails():\n    assert False\n")


def test_many_failures_are_not_tried_again(tmp_path: Path) -> None:
    several = f"@pytest.mark.parametrize('n', range({MOST_SECOND_TRIES + 1}))\n"
    body = "    Path(__file__).with_name('tried').open('a').write('x')\n    assert False\n"
    with pytest.raises(StepError):
        run(tmp_path, f"import pytest\nfrom pathlib import Path\n{several}def test_fails(n):\n{body}")
    assert len((tmp_path / "tests/made/tried").read_text()) == MOST_SECOND_TRIES + 1


def test_a_test_that_cannot_be_collected_is_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(StepError):
        run(tmp_path, "import nothing_of_this_name\n")
