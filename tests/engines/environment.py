"""`python -m tests.engines.environment`: make the environment of these tests, and print its interpreter.

It lies under the builder's cache and is made once for each set of pins (3 GB, half a minute with a
warm uv). Run it with the builder's own environment, which has uv.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from builder.cache import default_cache
from builder.errors import FetchError
from builder.inputs.mirrors import wheel_index

_HERE = Path(__file__).parent
_PINS = _HERE / "requirements.lock"
_OVERRIDES = _HERE / "overrides.txt"


def engines_environment() -> Path:
    """Its interpreter. Raises FetchError where the wheels cannot be had."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    pins = _PINS.read_bytes() + _OVERRIDES.read_bytes()
    key = hashlib.sha256(pins + version.encode() + sys.base_prefix.encode()).hexdigest()[:16]
    folder = default_cache().root / "venv" / f"engines-{key}"
    python = folder / "bin/python"
    if (folder / "complete").exists():
        return python
    uv = [sys.executable, "-m", "uv", "--quiet"]
    install: list[str | Path] = ["pip", "install", "--python", python, "--no-build", "--no-config"]
    install += ["--override", _OVERRIDES, "--compile-bytecode"]  # half of vLLM's start is reading its sources
    sources: list[str | Path] = ["--default-index", wheel_index(), *_find_links(), "-r", _PINS]
    made = subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, folder], check=False)
    if made.returncode != 0 or subprocess.run([*uv, *install, *sources], check=False).returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise FetchError("the environment of the engines' tests could not be made", hint="check the wheel index")
    (folder / "complete").touch()
    return python


def _find_links() -> list[str]:
    """The folders of wheels that pip is set up to look into, for uv, which does not read pip's settings."""
    places = os.environ.get("PIP_FIND_LINKS", "")
    if not places:
        asked = [sys.executable, "-m", "pip", "config", "get", "global.find-links"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        places = done.stdout if done.returncode == 0 else ""
    return [word for place in places.split() for word in ("--find-links", place)]


if __name__ == "__main__":
    print(engines_environment())
