"""`test`: set up what the tests need, and run them from quick to slow."""

from __future__ import annotations

import os
import subprocess
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

STAGES = ("lint", "unit", "integration", "browser", "boot")


def run_tests(*, full: bool, only: str | None, yes: bool) -> None:
    """Run every stage, or `only` one, and stop at the first that fails (StepError)."""
    if only is not None and only not in STAGES:
        raise HostError(f"there is no stage '{only}'", hint=f"stages: {', '.join(STAGES)}")
    require_root()
    ensure_tools(TEST_TOOLS, yes=yes)
    cache = default_cache()
    cache.root.mkdir(parents=True, exist_ok=True)
    python = environment(cache, "test", TEST)
    for stage in STAGES if only is None else (only,):
        started = time.monotonic()
        say(f"== {stage}")
        variables = {**os.environ, "PYTHONPATH": str(ROOT)}
        if stage in ("integration", "boot"):
            with exclusive(cache):
                variables["INKSTICK_TEST_ISO"] = str(build(load_profile("demo"), cache).iso)
        _run(_arguments(python, stage, full), variables, stage)
        say(f"== {stage}: passed in {duration(time.monotonic() - started)}")


def _arguments(python: Path, stage: str, full: bool) -> list[str]:
    argv = [str(python), "-m", "pytest", f"tests/{stage}"]
    return argv if full else [*argv, "-m", "not full"]


def _run(argv: list[str], variables: dict[str, str], stage: str) -> None:
    if subprocess.run(argv, cwd=ROOT, env=variables, check=False).returncode != 0:
        raise StepError(f"the {stage} tests failed", hint=f"one stage alone: python3 build.py test --only {stage}")
