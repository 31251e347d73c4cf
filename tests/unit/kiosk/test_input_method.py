"""What was typed in Chinese is forgotten with the batch: the program that has learned from it is started anew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "overlay/rootfs/usr/lib/inkstick/input-method"
# Stands for fcitx5: says which process it is, and stays until it is told to end.
STAYS = "import os, signal, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); signal.pause()"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command: list[str | Path] = [sys.executable, "-I", PROGRAM, sys.executable, "-c", STAYS, tmp_path / "pids"]
    process = subprocess.Popen(command, env={**os.environ, "INPUT_FORGETS": str(tmp_path / "forgotten")})
    yield process
    for pid in pids(tmp_path / "pids"):
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
    process.wait(60)


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def eventually(fits: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not fits():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_another_is_started_each_time_the_station_forgets(started: subprocess.Popen[bytes], tmp_path: Path) -> None:
    for times in (1, 2, 3):
        eventually(lambda times=times: len(pids(tmp_path / "pids")) == times)  # type: ignore[misc]
        (*before, now) = pids(tmp_path / "pids")
        assert alive(now) and not any(map(alive, before))
        if times < 3:
            (tmp_path / "forgotten").touch()
    assert started.poll() is None


def test_one_that_ends_by_itself_ends_it_with_its_status(tmp_path: Path) -> None:
    environment = {**os.environ, "INPUT_FORGETS": str(tmp_path / "forgotten")}
    command: list[str | Path] = [sys.executable, "-I", PROGRAM, sys.executable, "-c", "raise SystemExit(7)"]
    assert subprocess.run(command, env=environment, timeout=60, check=False).returncode == 7
