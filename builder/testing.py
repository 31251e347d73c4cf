"""`test`: set up what the tests need, and run them from quick to slow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from builder.build import build
from builder.cache import default_cache, exclusive
from builder.console import duration, say
from builder.environments import TEST, environment
from builder.errors import HostError, StepError
from builder.keys import ROOT
from builder.preflight import TEST_TOOLS, ensure_tools, require_root
from builder.profile import load_profile

STAGES = ("lint", "unit", "integration", "browser", "engines", "boot")
FULL_STAGES = ("full",)
"""What a normal run has no time for: the full-size profiles."""


_TESTS_FAILED = 1
"""Pytest's exit code for just that: 2 and more are interrupts, and faults of its own."""
MOST_SECOND_TRIES = 5
"""More failures than these in one stage are no accident."""


def run_tests(*, full: bool, only: str | None, yes: bool, second_try: bool = False) -> None:
    """Run every stage, or `only` one, and stop at the first that fails (StepError).

    `full` adds the stages of FULL_STAGES, and the tests that are marked `full` in the others. With `second_try`
    the few tests of a stage that failed are run once more, and those that pass then are named.
    """
    if only is not None and only not in (*STAGES, *FULL_STAGES):
        raise HostError(f"there is no stage '{only}'", hint=f"stages: {', '.join((*STAGES, *FULL_STAGES))}")
    require_root()
    ensure_tools(TEST_TOOLS, yes=yes)
    cache = default_cache()
    cache.root.mkdir(parents=True, exist_ok=True)
    python = environment(cache, "test", TEST)
    chosen = (only,) if only else (*STAGES, *FULL_STAGES) if full else STAGES
    for stage in chosen:
        started = time.monotonic()
        say(f"== {stage}")
        variables = {**os.environ, "PYTHONPATH": str(ROOT)}
        if stage in ("integration", "boot"):
            with exclusive(cache):
                variables["INKSTICK_TEST_ISO"] = str(build(load_profile("demo"), cache).iso)
        interpreter = _engines_interpreter(variables) if stage == "engines" else python
        argv = _arguments(interpreter, stage, full or stage in FULL_STAGES)
        run_stage(argv, variables, stage, second_try=second_try)
        say(f"== {stage}: passed in {duration(time.monotonic() - started)}")


def _engines_interpreter(variables: dict[str, str]) -> Path:
    """vLLM and transformers come with an environment of their own, which knows how to make itself."""
    argv = [sys.executable, "-m", "tests.engines.environment"]
    done = subprocess.run(argv, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        raise StepError("the environment of the engines' tests could not be made", hint="check the wheel index")
    return Path(done.stdout.strip().splitlines()[-1])


def _arguments(python: Path, stage: str, full: bool) -> list[str]:
    argv = [str(python), "-m", "pytest", f"tests/{stage}"]
    return argv if full else [*argv, "-m", "not full"]


def run_stage(
    argv: list[str], variables: dict[str, str], stage: str, *, second_try: bool, root: Path = ROOT
) -> None:
    """Run pytest as `argv` says, in `root`. Raises StepError if a test fails, at the second try if there is one."""
    code = subprocess.run(argv, cwd=root, env=variables, check=False).returncode
    failed = _failed(root, stage)
    if second_try and code == _TESTS_FAILED and 0 < len(failed) <= MOST_SECOND_TRIES:
        say(f"== {stage}: {len(failed)} failed; a second try, of these alone")
        again = [*argv, "--last-failed", "--last-failed-no-failures=none"]
        code = subprocess.run(again, cwd=root, env=variables, check=False).returncode
        if code == 0:
            say(f"== {stage}: passed at the second try only, and to be mended: {', '.join(failed)}")
    if code != 0:
        raise StepError(f"the {stage} tests failed", hint=f"one stage alone: python3 build.py test --only {stage}")


def _failed(root: Path, stage: str) -> list[str]:
    """The tests of this stage that failed when they were run last, as pytest keeps them."""
    kept = root / ".pytest_cache/v/cache/lastfailed"
    names = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    return sorted(name for name in names if name.startswith(f"tests/{stage}/"))
