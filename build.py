#!/usr/bin/env python3
"""Build, check, boot and try Inkstick. `python3 build.py --help` tells the rest.

This file needs nothing but Python: it makes a private environment from the hash-pinned
builder/requirements.lock, once, and hands over to builder/cli.py there.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
REQUIREMENTS = ROOT / "builder" / "requirements.lock"
OLDEST_PYTHON = (3, 11)


def main() -> None:
    if sys.version_info < OLDEST_PYTHON:
        stop(
            f"Python {sys.version_info.major}.{sys.version_info.minor} is too old",
            "run build.py with Python 3.11 or later (Debian 12 and 13 have it)",
        )
    python = environment()
    os.environ["PYTHONPATH"] = str(ROOT)
    os.execv(python, [str(python), "-m", "builder", *sys.argv[1:]])


def environment() -> Path:
    """The private environment's interpreter, made first if it is not there."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + version.encode() + sys.prefix.encode()).hexdigest()[:16]
    folder = cache_root() / "venv" / f"builder-{key}"
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        note_use(folder / "complete")
        return python
    print(f"Setting up a private Python environment in {folder} (once) ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, stdout=subprocess.DEVNULL)
    except subprocess.CalledProcessError:
        shutil.rmtree(folder, ignore_errors=True)
        install_venv_module()
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip: list[str | Path] = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    pip += ["--require-hashes", "--only-binary=:all:", "-r", REQUIREMENTS]
    done = subprocess.run([*pip, *carried_wheels()], check=False)
    if done.returncode != 0:
        stop("the builder's own requirements could not be installed", "check the network and pip's index setting")
    (folder / "complete").touch()
    return python


def note_use(mark: Path) -> None:
    """For `clean --older-than`. An environment of another user's keeps its time."""
    with contextlib.suppress(OSError):
        os.utime(mark)


def carried_wheels() -> list[str]:
    """Where `fetch --import DIR` is asked for, DIR has the wheels: builder/exchange.py put them there."""
    if "--import" in sys.argv[:-1]:
        wheels = Path(sys.argv[sys.argv.index("--import") + 1]) / "builder-wheels"
        if wheels.is_dir():
            return ["--no-index", "--find-links", str(wheels)]
    return []


def install_venv_module() -> None:
    """Debian keeps `venv` in a package of its own."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        stop("Python's venv module is missing", "install it: apt install python3-venv")
    if not ("--yes" in sys.argv or os.environ.get("CI") == "true" or agreed("Install python3-venv with apt?")):
        stop("Python's venv module is missing", "install it: apt install python3-venv")
    subprocess.run(["apt-get", "update", "-q"], check=True)
    subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", "python3-venv"], check=True)


def agreed(question: str) -> bool:
    try:
        return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")
    except EOFError:
        return False


def cache_root() -> Path:
    chosen = os.environ.get("INKSTICK_CACHE")
    if chosen:
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "inkstick"


def stop(message: str, remedy: str) -> None:
    sys.exit(f"error: {message}\nremedy: {remedy}")


if __name__ == "__main__":
    main()
