"""The ladder on the station's own systemd: the card goes from engine to engine, by failure, by the admin's page and by
the start scripts.

The station layer is that of a stick with a graphics card, on the demo's other layers; its engines are stand-ins, by
drop-ins: what is tested is their units, and the gateway that leaves its wish.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.keys import ROOT
from builder.layers.station import render_overlay
from builder.profile.load import load_profile
from builder.steps.debian import seen_by_templates
from runtime.hardware.ladder import judge
from tests.integration.booted_station import Booted, becoming_systemd, first_child
from tests.integration.image_tree import Tree, stacked
from tests.unit.hardware.test_ladder import GOOD, LADDER

PATIENCE_S = 300
VLLM, SERVER = "inkstick-engine@vllm.service", "inkstick-vllm.service"
TRANSFORMERS, RAPIDOCR = "inkstick-engine@transformers.service", "inkstick-engine@rapidocr.service"
GATEWAY, GATEWAY_USER = "inkstick-gateway.service", 901
SWITCH = "inkstick-engine-switch.path"
# A stand-in says neither that it is ready nor that it is alive.
_STAND_IN = "[Service]\nType=exec\nWatchdogSec=0\nExecStart=\nExecStart=/usr/bin/sleep infinity\n"
_DROP_INS = {
    "inkstick-hardware.service": "[Service]\nExecStart=\nExecStart=/usr/bin/true\n",
    **dict.fromkeys((SERVER, VLLM, TRANSFORMERS, RAPIDOCR), _STAND_IN),
}
_FAILS = {VLLM: "[Service]\nType=exec\nExecStart=\nExecStart=/usr/bin/false\n"}
_ADMIN = """
import httpx, json, sys
base = "http://127.0.0.1:7860"
with httpx.Client(base_url=base, headers={"Origin": base}, timeout=60) as page:
    door = page.get("/admin/door").json()["state"]
    page.post("/admin/door/" + {"unset": "choose", "locked": "enter"}[door], json={"pin": "271828"}).raise_for_status()
    page.post("/admin/engines/first", json={"engine": sys.argv[1]}).raise_for_status()
"""


@pytest.fixture
def tree(iso: Path, tmp_path: Path) -> Iterator[Tree]:
    profile = load_profile("4090d")
    assert profile.model is not None
    seen = seen_by_templates(profile.model_copy(update={"model": profile.model.instead("synthetic")}))
    for overlay in ("rootfs", "nvidia"):
        render_overlay(ROOT / "overlay" / overlay, tmp_path / "station", seen)
    room = tmp_path / "tree"
    room.mkdir()
    with stacked(iso, room) as made:
        made.put_on(tmp_path / "station")
        yield made


@pytest.fixture
def station(tree: Tree, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Booted]:
    """Booted as far as its engines. A parameter replaces some of the drop-ins."""
    for unit, text in {**_DROP_INS, **getattr(request, "param", {})}.items():
        tree.write(f"/etc/systemd/system/{unit}.d/test.conf", text)
    found = tmp_path / "hardware"
    (found / "held").mkdir(parents=True)
    (found / "held/transformers").write_text("standby\n")
    (found / "report.json").write_text(json.dumps(judge(GOOD, LADDER).as_json({})))
    prepared = f"mkdir run/inkstick && cp -r {shlex.quote(str(found))} run/inkstick/hardware"
    script = becoming_systemd(tree.root, prepared, unit="inkstick-engines.target")
    command = tree.enter("unshare", "-m", "-p", "-i", "-u", "-n", "-C", "--fork", "--kill-child", "sh", "-c", script)
    with (tmp_path / "console").open("wb") as console:
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
    try:
        yield Booted("", tmp_path, tmp_path, first_child(machine), tree)
    finally:
        machine.kill()
        machine.wait()


def state(station: Booted, unit: str) -> str:
    return station.systemctl("show", "--property=ActiveState", "--value", unit).strip()


def wait_until(true: Callable[[], object], station: Booted) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, what_is_so(station)
        time.sleep(0.5)


def what_is_so(station: Booted) -> str:
    listed = station.systemctl("list-units", "--all", "--no-pager", "--plain", "inkstick*")
    return listed + station.run("journalctl", "--no-pager", "--lines=60").stdout


def wait_for(station: Booted, *units: str) -> None:
    """Until all of them are up."""
    wait_until(lambda: {state(station, unit) for unit in units} == {"active"}, station)


def report(station: Booted) -> dict[str, Any]:
    path = Path(f"/proc/{station.init}/root/run/inkstick/hardware/report.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("station", [_FAILS], indirect=True)
def test_an_engine_that_fails_for_good_makes_room_for_the_next(station: Booted) -> None:
    wait_for(station, TRANSFORMERS, RAPIDOCR)
    assert report(station)["parts"] == {"vllm": "refused", "transformers": "start", "rapidocr": "start"}
    assert [trouble["code"] for trouble in report(station)["troubles"]] == ["ENGINE-GAVE-UP"]
    assert state(station, SERVER) == "inactive", "it would keep the card's memory"


def test_the_start_scripts_change_the_engine(station: Booted) -> None:
    wait_for(station, VLLM, SERVER)
    assert state(station, TRANSFORMERS) == "inactive", "it waits for the first to fail"
    done = station.run("/usr/lib/inkstick/bin/1-界面推理-pt.sh")
    assert done.returncode == 0, done.stderr
    # The scripts do not wait for a model to be loaded.
    wait_for(station, TRANSFORMERS, GATEWAY)
    assert (state(station, VLLM), state(station, SERVER)) == ("inactive", "inactive")
    done = station.run("/usr/lib/inkstick/bin/2-API接口-vllm.sh")
    assert done.returncode == 0, done.stderr
    wait_for(station, VLLM, SERVER)
    assert state(station, TRANSFORMERS) == "inactive"


def test_the_admin_page_gives_the_card_to_the_engine_that_waits_and_back(station: Booted) -> None:
    wait_for(station, VLLM, SERVER, RAPIDOCR)
    started = station.run("systemctl", "start", SWITCH, GATEWAY)
    assert started.returncode == 0, started.stderr + what_is_so(station)
    put_first(station, "transformers")
    wait_for(station, TRANSFORMERS)
    assert (state(station, VLLM), state(station, SERVER)) == ("inactive", "inactive"), "they would keep the memory"
    assert report(station)["parts"] == {"vllm": "standby", "transformers": "start", "rapidocr": "start"}
    put_first(station, "vllm")
    wait_for(station, VLLM, SERVER)
    assert state(station, TRANSFORMERS) == "inactive"
    assert state(station, RAPIDOCR) == "active", "it needs no card and goes on reading"


def put_first(station: Booted, engine: str) -> None:
    """As the admin's page asks for it; returns when the wish was taken up."""
    (gateway,) = (pid for pid, line in station.processes(GATEWAY_USER).items() if "runtime.gateway" in line)
    command = ["nsenter", f"--target={gateway}", "--net", sys.executable, "-c", _ADMIN, engine]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wish = "/run/inkstick/gateway/switch"
    wait_until(lambda: station.run("test", "-e", wish).returncode != 0, station)
