"""A build killed at twenty points from its first step to its last."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from builder import history
from builder.bytediff import differences
from builder.cache import default_cache
from builder.eviction import held_bytes
from builder.inputs.store import sha256_of
from tests.integration.workshop import Workshop

pytestmark = pytest.mark.full
POINTS = {"base": 9, "python": 4, "station": 1, "boot": 3, "iso": 2, "verify": 1}
"""How many times each part of a build is interrupted; they are spread over what it took the last time."""


@dataclass(frozen=True)
class Point:
    """`share` of the step's time passes before the kill."""

    step: str
    share: float


def points() -> Iterator[Point]:
    for step, count in POINTS.items():
        yield from (Point(step, (number + 1) / (count + 1)) for number in range(count))


def kill_at(workshop: Workshop, point: Point, took_s: float) -> bool:
    """Start a build and kill it there, and all that it started by itself. False if it had ended by then."""
    output = workshop.cache / "killed.log"
    with output.open("w") as sink:
        process = subprocess.Popen(
            workshop.argv("build", "--profile", "demo", "--locked"),
            cwd=workshop.root,
            env=workshop.environment(PYTHONUNBUFFERED="1"),
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    while process.poll() is None and not begun(output.read_text(), point.step):
        time.sleep(0.02)
    until = time.monotonic() + point.share * took_s
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def begun(said: str, step: str) -> bool:
    """Whether the build is at that step, or past it: an earlier kill may have come too late to stop it."""
    later = list(POINTS)[list(POINTS).index(step) :]
    names = {"iso": "ISO ...", "verify": "verify ..."}
    return any(names.get(name, f"build {name} ...") in said for name in later)


def unfinished(workshop: Workshop) -> int:
    """Bytes of what no finished build would leave, wherever a build writes."""
    partial = sum(held_bytes(file) for file in (workshop.root / "dist").glob("*.partial"))
    strays = sum(held_bytes(file) for file in Path("/tmp").glob("inkstick-verify-*"))
    return held_bytes(workshop.cache / "work") + partial + strays


def finished(workshop: Workshop) -> dict[str, int]:
    """Results by name, each with its file's number: one made again would have another. Builds touch time stamps."""
    return {path.parent.name: path.stat().st_ino for path in (workshop.cache / "layers").glob("*/done.json")}


def test_twenty_kills_leave_nothing_and_cost_no_finished_step(workshop: Workshop, iso: Path) -> None:
    took = {name: past.seconds for name, past in history.read(default_cache()).items()}
    killed, largest = 0, 0
    for point in points():
        before = finished(workshop)
        for file in (workshop.root / "dist").glob("*.iso"):
            file.unlink()
        killed += kill_at(workshop, point, took.get(point.step, 5.0))
        assert workshop.leftovers() == [], f"after a kill in {point}"
        after = finished(workshop)
        assert before.items() <= after.items(), f"{point}: a finished step was lost or done again"
        largest = max(largest, unfinished(workshop))
    assert killed >= 3 * sum(POINTS.values()) // 4, "most builds had ended before they were killed"
    assert largest < 3 << 30, "what one killed build leaves is cleared away by the next"
    done = workshop.run("build", "--profile", "demo", "--locked")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "build base" not in done.stdout and "build python" not in done.stdout
    assert unfinished(workshop) == 0
    if sha256_of(workshop.iso) != sha256_of(iso):
        pytest.fail("\n".join(map(str, differences(workshop.iso, iso))))
