"""A whole station on this machine, for tests: real processes, real engine, real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]
_DEAD_PROXY = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
"""Whatever tried to reach a network would fail loudly."""


@dataclass(frozen=True)
class Station:
    """`http` talks to the REST port."""

    http: httpx.Client
    ui_port: int
    milestones: Path
    supervisor: subprocess.Popen[bytes]

    def pids(self, module: str) -> list[int]:
        """Running children of the supervisor that run `runtime.MODULE`, or the MODULE named in full."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = (entry / "cmdline").read_bytes().split(b"\0")
                names = {f"runtime.{module}".encode(), module.encode()}
                if parent == self.supervisor.pid and names & set(words):
                    found.append(int(entry.name))
        return found

    def wait_ready(self, limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            assert self.supervisor.poll() is None, "the supervisor ended"
            with contextlib.suppress(httpx.TransportError):
                if self.http.get("/readyz").status_code == 200:
                    return
            time.sleep(0.2)
        raise AssertionError(f"not ready after {limit_s} s")


@contextmanager
def running_station(
    folder: Path,
    *,
    engines: Sequence[Mapping[str, object]] = (),
    environment: Mapping[str, str] | None = None,
    start_s: float = 180.0,
    program: str = "runtime.standalone",
    settings: Mapping[str, object] | None = None,
    **limits: int,
) -> Iterator[Station]:
    """Start a station whose files lie in `folder`; wait until it is ready; stop it in the end.

    `engines`: their configurations, each without its socket; by default the CPU engine alone. `start_s`:
    how long it may take. `program`: what supervises it. `settings`: more of its configuration.
    """
    api_port, ui_port = free_port(), free_port()
    milestones = folder / "milestones"
    config = {
        "profile": "test",
        "version": "0",
        "ui": {"host": "127.0.0.1", "port": ui_port},
        "api": {"host": "127.0.0.1", "port": api_port},
        "engines": [
            {"socket": str(folder / f"{engine['name']}.sock"), **engine}
            for engine in engines or [{"name": "rapidocr", "threads": 2}]
        ],
        "milestones": str(milestones),
        "limits": limits,
        "jobs": {"folder": str(folder / "jobs")},
        **(settings or {}),
    }
    path = folder / "station.json"
    path.write_text(json.dumps(config))
    with open(folder / "log", "wb") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", program, "--config", str(path)],
            cwd=REPOSITORY,
            stdout=log,
            stderr=log,
            env={**os.environ, **_DEAD_PROXY, **(environment or {})},
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{api_port}", timeout=300, trust_env=False) as http:
            station = Station(http, ui_port, milestones, supervisor)
            station.wait_ready(start_s)
            yield station
    finally:
        supervisor.send_signal(signal.SIGTERM)
        try:
            supervisor.wait(30)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
