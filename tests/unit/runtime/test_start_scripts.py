"""The start scripts that users of HunyuanOCR know choose the engine, and say so when it is not there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

BIN = Path(__file__).parents[3] / "overlay/rootfs/usr/lib/inkstick/bin"


def run(folder: Path, script: str, *engines: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a script on a station with `engines`; answer what it told systemctl."""
    told = folder / "told"
    systemctl = folder / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$*" >>"{told}"\n')
    systemctl.chmod(0o755)
    config = folder / "station.json"
    config.write_text('{"engines": [' + ", ".join(f'{{"name": "{name}"}}' for name in engines) + "]}")
    done = subprocess.run(
        [BIN / script],
        env={
            "PATH": f"{folder}:{os.environ['PATH']}",
            "INKSTICK_CONFIG": str(config),
            "INKSTICK_HARDWARE": str(folder),
            "LANG": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done, told.read_text().splitlines() if told.exists() else []


@pytest.mark.parametrize(
    ("script", "engine", "port"),
    [("1-界面推理-pt.sh", "transformers", "7860"), ("2-API接口-vllm.sh", "vllm", "8000")],
)
def test_a_script_has_its_engine_read_and_says_where(tmp_path: Path, script: str, engine: str, port: str) -> None:
    done, told = run(tmp_path, script, "vllm", "transformers", "rapidocr")
    assert done.returncode == 0 and port in done.stdout
    assert told == [
        "stop inkstick-engine@*.service",
        f"start --no-block inkstick-gateway.service inkstick-engine@{engine}.service",
    ]


def test_an_engine_that_the_profile_does_not_have_stops_nothing(tmp_path: Path) -> None:
    done, told = run(tmp_path, "2-API接口-vllm.sh", "rapidocr")
    assert done.returncode == 2 and "vllm" in done.stderr and told == []


def test_in_a_container_the_script_is_the_station_itself(tmp_path: Path) -> None:
    """No systemctl there; what stands for Python says what it would have run."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, words in (
        ("python3", 'echo "$*"'),
        ("grep", 'exec /bin/grep "$@"'),
        ("dirname", 'exec /usr/bin/dirname "$@"'),
    ):
        (tools / name).write_text(f"#!/bin/sh\n{words}\n")
        (tools / name).chmod(0o755)
    config = tmp_path / "station.json"
    config.write_text('{"engines": [{"name": "rapidocr"}, {"name": "vllm"}]}')
    environment = {"PATH": str(tools), "INKSTICK_CONFIG": str(config), "INKSTICK_HARDWARE": str(tmp_path)}
    done = subprocess.run([BIN / "2-API接口-vllm.sh"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["-m", "runtime.standalone", "--config", str(config), "--only", "vllm"]


def held(folder: Path, engine: str, why: str) -> Path:
    file = folder / "held" / engine
    file.parent.mkdir(exist_ok=True)
    file.write_text(why)
    return file


def test_an_engine_that_waits_for_the_card_is_let_go(tmp_path: Path) -> None:
    file = held(tmp_path, "transformers", "standby\n")
    done, told = run(tmp_path, "1-界面推理-pt.sh", "vllm", "transformers")
    assert done.returncode == 0 and len(told) == 2 and not file.exists()


def test_an_engine_that_the_machine_cannot_run_stops_nothing_and_the_code_is_said(tmp_path: Path) -> None:
    file = held(tmp_path, "vllm", "refused NO-NVIDIA-CARD\n")
    done, told = run(tmp_path, "2-API接口-vllm.sh", "vllm", "rapidocr")
    assert done.returncode == 3 and "NO-NVIDIA-CARD" in done.stderr and told == [] and file.exists()
