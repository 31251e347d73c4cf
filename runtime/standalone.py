"""`python3 -m runtime.standalone --config PATH`: the whole station on a desk, as `build.py serve` runs it.

On a stick systemd does this. Here one process starts engines, media helper and gateway, starts
again what dies, and takes them all down with it, however it ends itself.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from runtime import config
from runtime.child_process import die_with_parent
from runtime.signs_of_life import SignsOfLife

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 60.0
"""A process that ran this long before it died is started again at once."""
_GRACE_S = 8.0
_TICK_S = 0.1


@dataclass
class Child:
    """One program, kept running. `pause_s` doubles each time it dies young.

    `signs`: it is killed when it gives none.
    """

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = 0.0
    pause_s: float = field(default=_FIRST_PAUSE_S)
    signs: SignsOfLife | None = None
    engine: str | None = None
    """Whose part it is; None: every engine needs it."""

    def tick(self, now: float, before_exec: Callable[[], None]) -> None:
        """Start it if it is due; notice if it died."""
        if self.process is None:
            if now >= self.start_at:
                self.started = now
                # Its own session, so that Ctrl+C reaches this process alone and children end in order.
                environment = None
                if self.signs is not None:
                    self.signs.begin(now)
                    environment = {**os.environ, **self.signs.environment}
                self.process = subprocess.Popen(
                    self.command, preexec_fn=before_exec, start_new_session=True, env=environment
                )
            return
        code = self.process.poll()
        if code is None:
            if self.signs is not None and self.signs.overdue(now):
                log.warning("%s gives no sign of life, killed", self.name)
                self.process.kill()
                self.process.wait()
            return
        self.process = None
        if now - self.started >= _STEADY_S:
            self.pause_s = _FIRST_PAUSE_S
        log.warning("%s ended (%d), starting it again in %.1f s", self.name, code, self.pause_s)
        self.start_at = now + self.pause_s
        self.pause_s = min(_LONGEST_PAUSE_S, 2 * self.pause_s)


def children_of(
    station: config.StationConfig, config_path: Path, sticks: Path | None, *, practice_vaults: bool = False
) -> list[Child]:
    """The programs of this configuration, in the order in which they are started."""

    def program(module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", f"runtime.{module}", "--config", str(config_path), *arguments]

    children = [
        Child("vLLM's server", program("engine.vllm_main", "--name", engine.name), engine=engine.name)
        for engine in station.engines
        if engine.name == "vllm"
    ]
    children += [
        Child(
            f"engine {engine.name}",
            program("engine", "--name", engine.name),
            signs=SignsOfLife(engine.supervision.load_s, engine.supervision.answer_s),
            engine=engine.name,
        )
        for engine in station.engines
    ]
    if station.media_socket is not None and sticks is not None:
        practice = ("--practice-vaults",) if practice_vaults else ()
        children.append(Child("media helper", program("media", "--folders", str(sticks), *practice)))
    return [*children, Child("gateway", program("gateway"))]


def run(children: list[Child]) -> None:
    """Keep `children` running until SIGTERM or SIGINT; leaves none behind."""
    stopping = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    before_exec = die_with_parent()
    try:
        while not stopping:
            for child in children:
                child.tick(time.monotonic(), before_exec)
            time.sleep(_TICK_S)
    finally:
        _end(children)


def _end(children: list[Child]) -> None:
    """Last started first: the gateway finishes its answers while the engines still run."""
    for child in reversed(children):
        process, child.process = child.process, None
        if process is None:
            continue
        process.terminate()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            log.warning("%s does not end, killed", child.name)
            process.kill()
            process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="runtime.standalone", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--sticks", type=Path, default=None, help="a folder whose folders stand for USB sticks")
    parser.add_argument("--practice-vaults", action="store_true", help="see runtime.media; for tests")
    parser.add_argument("--only", metavar="ENGINE", help="read with this engine of the configuration and no other")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    station = config.load(arguments.config)
    practice = arguments.practice_vaults
    children = children_of(station, arguments.config.resolve(), arguments.sticks, practice_vaults=practice)
    run([child for child in children if arguments.only is None or child.engine in (None, arguments.only)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
