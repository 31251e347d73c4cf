"""Further private environments: one to serve in, one to test in. Made once for each set of pins."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from builder.cache import Cache
from builder.console import step
from builder.errors import FetchError
from builder.eviction import mark_used
from builder.inputs.mirrors import wheel_index
from builder.keys import ROOT

SERVE = ROOT / "runtime/requirements.lock"
TEST = ROOT / "tests/requirements.lock"


def environment(cache: Cache, name: str, requirements: Path) -> Path:
    """The interpreter of an environment that holds exactly `requirements` (hash-pinned).

    Raises FetchError where the wheels cannot be had.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = hashlib.sha256(requirements.read_bytes() + version.encode() + sys.base_prefix.encode()).hexdigest()[:16]
    folder = cache.root / "venv" / f"{name}-{key}"
    python = folder / "bin/python"
    if (folder / "complete").exists():
        mark_used([folder / "complete"])
        return python
    uv = [sys.executable, "-m", "uv", "--quiet"]
    with step(f"set up the Python environment to {name}"):
        made = subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, folder], check=False)
        install: list[str | Path] = [
            "pip",
            "install",
            "--python",
            python,
            "--require-hashes",
            "--no-deps",
            "--no-build",
            "--no-config",
        ]
        index: list[str | Path] = ["--default-index", wheel_index(), "-r", requirements]
        if made.returncode != 0 or subprocess.run([*uv, *install, *index], check=False).returncode != 0:
            raise FetchError(
                f"the environment to {name} could not be made", hint="check the network and the wheel index"
            )
    (folder / "complete").touch()
    return python
