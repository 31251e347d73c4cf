"""A copy of the project with a cache of its own, to build in without touching the real one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from builder.cache import default_cache
from builder.keys import ROOT

_MIDST = {"base": b"\nUnpacking ", "python": b"\n$ ", "boot": b"\n$ mkinitramfs"}
"""What a step's log shows once its mounts are there."""


@dataclass(frozen=True)
class Workshop:
    """`root` holds the copy, `cache` its cache; the store of downloads is the real one."""

    root: Path
    cache: Path

    @property
    def iso(self) -> Path:
        (found,) = (self.root / "dist").glob("inkstick-demo-*.iso")
        return found

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "builder", *words]

    def environment(self, **extra: str) -> dict[str, str]:
        own = {"PYTHONPATH": str(self.root), "INKSTICK_CACHE": str(self.cache), "CI": "true"}
        return {**os.environ, **own, **extra}

    def run(self, *words: str, prefix: tuple[str, ...] = (), **extra: str) -> subprocess.CompletedProcess[str]:
        """Run a command of build.py to its end."""
        return self.run_program(*prefix, *self.argv(*words), **extra)

    def run_program(self, *argv: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run any program in the copy, with its cache."""
        return subprocess.run(
            argv,
            cwd=self.root,
            env=self.environment(**extra),
            capture_output=True,
            text=True,
            check=False,
        )

    def stop_during(self, step: str, how: signal.Signals) -> int:
        """Start a build, and send it a signal in the midst of `step`; returns how the build ended."""
        shutil.rmtree(self.cache / "logs", ignore_errors=True)  # an earlier build's would speak for this one
        process = subprocess.Popen(
            self.argv("build", "--profile", "demo"),
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            # A shell's background jobs are deaf to it, and so would be what they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        while not self._in_the_midst_of(step):
            assert process.poll() is None, f"the build ended before {step} was at work"
            time.sleep(0.05)
        process.send_signal(how)
        return process.wait()

    def _in_the_midst_of(self, step: str) -> bool:
        """Whether the step has its mounts and runs its tools: its log says so."""
        if step == "iso":
            return any((self.root / "dist").glob("*.partial"))
        logs = (self.cache / "logs").glob(f"{step}-*.log")
        return (self.cache / "work" / step).exists() and any(_MIDST[step] in log.read_bytes() for log in logs)

    def leftovers(self) -> list[str]:
        """Mounts, loop devices and processes that belong to this cache, once dying ones are gone."""
        for _ in range(100):
            found = [*self._mounts(), *self._loops(), *self._processes()]
            if not found:
                return []
            time.sleep(0.1)
        return found

    def _mounts(self) -> list[str]:
        return [line for line in Path("/proc/mounts").read_text().splitlines() if str(self.cache) in line]

    def _loops(self) -> list[str]:
        listed = subprocess.run(["losetup", "--list", "--noheadings"], capture_output=True, text=True, check=True)
        return [line for line in listed.stdout.splitlines() if str(self.cache) in line]

    def _processes(self) -> list[str]:
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.cache) in line:
                found.append(line)
        return found


def make_workshop(folder: Path) -> Workshop:
    """Copy what git would take, and share the store of downloads."""
    root, cache = folder / "project", folder / "cache"
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "-c", "core.quotePath=off", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_symlink() or (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name, follow_symlinks=False)
    cache.mkdir(parents=True)
    (cache / "store").symlink_to(default_cache().store)
    return Workshop(root, cache)
