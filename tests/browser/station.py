"""A whole station on loopback ports, with folders for sticks, as `build.py serve` starts it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tests.pages.render import render

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 120


@dataclass
class Station:
    """`sticks` is where sticks are plugged in; `drawer` is where they lie when they are pulled out;
    `hardware` is the report of what was found on the machine, `session` what outlives a gateway."""

    url: str
    sticks: Path
    drawer: Path
    process: subprocess.Popen[bytes]
    hardware: Path
    api: str
    session: Path = Path("/nonexistent")

    def plug_in(self, name: str, files: dict[str, bytes]) -> Path:
        """A new stick with these files, complete the moment it is seen."""
        made = self.drawer / name
        for path, content in files.items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_bytes(content)
        made.mkdir(parents=True, exist_ok=True)
        return self.put_back(name)

    def put_back(self, name: str) -> Path:
        return (self.drawer / name).rename(self.sticks / name)

    def pull(self, name: str) -> Path:
        return (self.sticks / name).rename(self.drawer / name)

    def clear(self) -> None:
        """Pull every stick and throw it away."""
        for folder in (self.sticks, self.drawer):
            for stick in folder.iterdir():
                stick.chmod(0o755)
                shutil.rmtree(stick)

    def state(self) -> dict[str, object]:
        with urllib.request.urlopen(f"{self.url}/kiosk/state", timeout=5) as answer:
            state: dict[str, object] = json.load(answer)
            return state

    def wait_until(self, holds: Callable[[dict[str, Any]], bool], timeout_s: float = 60) -> None:
        """Until this holds of the state. (The page's policy forbids Playwright to ask it such things again.)"""
        deadline = time.monotonic() + timeout_s
        while not holds(state := self.state()):
            assert time.monotonic() < deadline, state
            time.sleep(0.1)

    def post(self, path: str, body: object = None, method: str = "POST") -> None:
        """As the page would send it."""
        headers = {"Origin": self.url, "Content-Type": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/kiosk/{path}", data, headers, method=method)
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=30).close()

    def paste(self, name: str, data: bytes) -> None:
        """A file that no stick has."""
        headers = {"Origin": self.url, "Content-Type": "image/png"}
        urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/kiosk/upload?name={name}&origin=paste", data, headers), timeout=30
        ).close()

    def engine(self) -> int:
        """The engine's process; waits until there is one."""
        return self._child(b"runtime.engine")

    def kill_gateway(self) -> None:
        """As when memory runs out, and wait until there is another, as systemd would start it."""
        killed = self._child(b"runtime.gateway")
        os.kill(killed, signal.SIGKILL)
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            with contextlib.suppress(OSError):
                if self._child(b"runtime.gateway") != killed and self.state():
                    return
            assert time.monotonic() < deadline, "no gateway is started"
            time.sleep(0.1)

    def _child(self, module: bytes) -> int:
        deadline = time.monotonic() + 60
        while True:
            for folder in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                    if parent == self.process.pid and module + b"\0" in (folder / "cmdline").read_bytes():
                        return int(folder.name)
            assert time.monotonic() < deadline, f"no {module.decode()} is running"
            time.sleep(0.02)

    def kill_engine(self) -> None:
        """As if it had crashed: with no chance to say anything."""
        os.kill(self.engine(), signal.SIGKILL)

    @contextlib.contextmanager
    def engine_held(self) -> Iterator[None]:
        """Meanwhile the engine stands still: however fast the machine, what is being read stays so."""
        engine = self.engine()
        os.kill(engine, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(engine, signal.SIGCONT)

    def rest(self) -> None:
        """Back to the first screen, with no stick and no vault: what every test starts from."""
        self.post("vault/lock")
        self.clear()
        for path in ("watch/end", "read/stop", "save/finish", "save/close", "read/close", "notice/close"):
            self.post(path)
        self.post("language", {"language": "zh"})
        self.post("choice", {})
        self.post("exports", {"formats": ["text", "json"], "per": "page"}, "PUT")
        deadline = time.monotonic() + 30
        while (self.state()["screen"], self.state()["sticks"]) != ("insert", []):
            assert time.monotonic() < deadline, self.state()
            time.sleep(0.1)
        self.post("notice/close")


def start(folder: Path, **changed: object) -> Station:
    """Start engine, helper and gateway; returns when the engine is ready. The caller calls `stop`.

    `changed`: what is different in the configuration."""
    ui, api = free_port(), free_port()
    configuration = {
        "profile": "demo",
        "version": "0.1.0",
        "ui": {"host": "127.0.0.1", "port": ui},
        "api": {"host": "127.0.0.1", "port": api},
        "engines": [{"name": "rapidocr", "socket": str(folder / "engine.sock")}],
        "media_socket": str(folder / "media.sock"),
        "scanner_socket": str(folder / "scanner.sock"),
        "milestones": str(folder / "milestones"),
        "painted_flag": str(folder / "painted"),
        "hardware_report": str(folder / "hardware.json"),
        "about": str(_about(folder / "about")),
        "session_folder": str(folder / "session"),
        "auth": {"required": True, "keys": str(folder / "keys.json")},
    }
    (folder / "station.json").write_text(json.dumps({**configuration, **changed}))
    for name in ("sticks", "drawer"):
        (folder / name).mkdir()
    command = [sys.executable, "-m", "runtime.standalone", "--config", str(folder / "station.json")]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [*command, "--sticks", str(folder / "sticks"), "--practice-vaults"],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    station = Station(
        f"http://127.0.0.1:{ui}",
        folder / "sticks",
        folder / "drawer",
        process,
        folder / "hardware.json",
        f"http://127.0.0.1:{api}",
        folder / "session",
    )
    try:
        wait_until_ready(station, folder / "log")
    except BaseException:
        stop(station)
        raise
    return station


def _about(folder: Path) -> Path:
    """What the model layer leaves for the page; here of a model with random weights."""
    shutil.copytree(ROOT / "licences/tencent-hunyuan-community", folder)
    about = {"title": "HunyuanOCR 1.0", "licence": "tencent-hunyuan-community", "commit": "", "synthetic": True}
    (folder / "about.json").write_text(json.dumps(about))
    return folder


def stop(station: Station) -> None:
    station.process.terminate()
    station.process.wait(60)


def wait_until_ready(station: Station, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            engine = station.state()["engine"]
            if isinstance(engine, dict) and engine["state"] == "ready":
                return
        except OSError:
            pass
        if time.monotonic() > deadline or station.process.poll() is not None:
            raise AssertionError(f"the station did not get ready:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def png(image: Image.Image) -> bytes:
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()


def english() -> tuple[bytes, str]:
    """A page and its truth."""
    page = render("english")
    return png(page.image), page.text


def chinese() -> tuple[bytes, str]:
    page = render("chinese", faults=True, seed=1)
    return png(page.image), page.text


def short(words: str = "One short line to read") -> bytes:
    """A page that is read in a moment."""
    page = render("english").image
    return png(page.crop((0, 0, page.width, page.height // 4)))
