"""The ladder on the station's own systemd: what fails for good makes room for the next engine.

systemd runs as the first process of namespaces of its own, on the image's layers. The engines are stand-ins
here, by drop-ins: what is tested is their units.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.hardware.ladder import judge
from tests.full.stack import Stack
from tests.unit.hardware.test_ladder import GOOD, LADDER

pytestmark = pytest.mark.full

PATIENCE_S = 600
_SLEEP = "ExecStart=\nExecStart=/usr/bin/sleep infinity\n"
_DROP_INS = {
    "inkstick-hardware.service": "ExecStart=\nExecStart=/usr/bin/true\n",
    "inkstick-vllm.service": _SLEEP,
    "inkstick-gateway.service": _SLEEP,
    "inkstick-engine@vllm.service": _SLEEP,
    "inkstick-engine@transformers.service": _SLEEP,
    "inkstick-engine@rapidocr.service": _SLEEP,
    "inkstick-engine-next@.service": "",
    "inkstick-engine-switch.service": "",
}
# No hardware, no cgroup controllers and no seccomp of its own: what these would refuse is not what is tested.
_PLAIN = (
    "Type=exec\nDevicePolicy=auto\nDeviceAllow=\nPrivateDevices=no\n"
    "MemoryMax=infinity\nWatchdogSec=0\nNotifyAccess=none\n"
)


@dataclass
class Booted:
    """systemd, running."""

    process: subprocess.Popen[bytes]
    folder: Path

    def state(self, unit: str) -> str:
        return self._systemctl("show", "--property=ActiveState", "--value", unit)

    def _systemctl(self, *words: str) -> str:
        return self.run("systemctl", *words).stdout.strip()

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program on the booted system, as root."""
        inside = ["nsenter", f"--target={self.first_process()}", "--mount", "--pid", "--root"]
        return subprocess.run([*inside, *command], capture_output=True, text=True, check=False)

    def first_process(self) -> int:
        """systemd is the child of unshare."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def report(self) -> dict[str, object]:
        path = Path(f"/proc/{self.first_process()}/root/run/inkstick/hardware/report.json")
        report: dict[str, object] = json.loads(path.read_text())
        return report


_FAILS = {"inkstick-engine@vllm.service": "ExecStart=\nExecStart=/usr/bin/false\n"}


@pytest.fixture
def booted(stack: Stack, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Booted]:
    """A parameter replaces some of the drop-ins."""
    room = tmp_path / "run"
    for unit, text in {**_DROP_INS, **getattr(request, "param", {})}.items():
        drop_in = room / f"systemd/system/{unit}.d/test.conf"
        drop_in.parent.mkdir(parents=True)
        plain = "" if unit == "inkstick-hardware.service" else _PLAIN
        drop_in.write_text(f"[Service]\n{text}{plain}")
    held = room / "inkstick/hardware/held"
    held.mkdir(parents=True)
    (held / "transformers").write_text("standby\n")
    report = judge(GOOD, LADDER).as_json({})
    (held.parent / "report.json").write_text(json.dumps(report))
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(stack.command_of_systemd("inkstick-engines.target", room), stdout=log, stderr=log)
    try:
        yield Booted(process, tmp_path)
    finally:
        process.kill()
        process.wait()


def wait_until(true: Callable[[], bool], what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, what()
        time.sleep(0.5)


def is_active(booted: Booted, unit: str) -> bool:
    try:
        return booted.state(unit) == "active"
    except (OSError, IndexError):
        return False  # not that far yet


def log_of(booted: Booted) -> str:
    return (booted.folder / "log").read_text(errors="replace")[-3000:]


@pytest.mark.parametrize("booted", [_FAILS], indirect=True)
def test_an_engine_that_fails_for_good_makes_room_for_the_next(booted: Booted) -> None:
    def parts() -> dict[str, str]:
        found = booted.report()["parts"]
        assert isinstance(found, dict)
        return found

    transformers = "inkstick-engine@transformers.service"
    wait_until(lambda: is_active(booted, transformers), lambda: log_of(booted))
    assert parts() == {"vllm": "refused", "transformers": "start", "rapidocr": "start"}
    assert booted.state("inkstick-vllm.service") == "inactive", "it would keep the card's memory"
    assert booted.state("inkstick-engine@rapidocr.service") == "active"


def test_the_start_scripts_change_the_engine(booted: Booted) -> None:
    vllm, server = "inkstick-engine@vllm.service", "inkstick-vllm.service"
    transformers = "inkstick-engine@transformers.service"
    wait_until(lambda: is_active(booted, vllm) and is_active(booted, server), lambda: log_of(booted))
    assert booted.state(transformers) == "inactive", "it waits for the first to fail"
    done = booted.run("/usr/lib/inkstick/bin/1-界面推理-pt.sh")
    assert done.returncode == 0, done.stderr
    # The scripts do not wait for a model to be loaded.
    wait_until(lambda: is_active(booted, transformers), lambda: log_of(booted))
    wait_until(lambda: is_active(booted, "inkstick-gateway.service"), lambda: log_of(booted))
    assert (booted.state(vllm), booted.state(server)) == ("inactive", "inactive")
    done = booted.run("/usr/lib/inkstick/bin/2-API接口-vllm.sh")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: is_active(booted, vllm) and is_active(booted, server), lambda: log_of(booted))
    assert booted.state(transformers) == "inactive"


def test_the_admin_pages_wish_gives_the_card_to_the_engine_that_waits(booted: Booted) -> None:
    """And back again. The wish is left by the gateway's user, as the gateway leaves it."""
    vllm, server = "inkstick-engine@vllm.service", "inkstick-vllm.service"
    transformers = "inkstick-engine@transformers.service"
    wait_until(lambda: is_active(booted, vllm) and is_active(booted, server), lambda: log_of(booted))
    watching = booted.run("systemctl", "start", "inkstick-engine-switch.path")
    assert watching.returncode == 0, watching.stderr
    _wish(booted, "transformers")
    wait_until(lambda: is_active(booted, transformers), lambda: log_of(booted))
    assert (booted.state(vllm), booted.state(server)) == ("inactive", "inactive"), "they would keep the card's memory"
    assert booted.report()["parts"] == {"vllm": "standby", "transformers": "start", "rapidocr": "start"}
    _wish(booted, "vllm")
    wait_until(lambda: is_active(booted, vllm) and is_active(booted, server), lambda: log_of(booted))
    assert booted.state(transformers) == "inactive"
    assert booted.state("inkstick-engine@rapidocr.service") == "active", "it needs no card and goes on reading"


def _wish(booted: Booted, engine: str) -> None:
    file = "/run/inkstick/gateway/switch"
    script = ["sh", "-c", f"echo {engine} >{file}"]
    done = booted.run("setpriv", "--reuid=inkstick", "--regid=inkstick", "--clear-groups", *script)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: booted.run("test", "-e", file).returncode != 0, lambda: log_of(booted))
