"""Pages survive what happens to an engine; an engine survives what its users do."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.engine.loading_phases import loading, step_of
from tests.engines.test_reading import read
from tests.engines.tiny import LOOP, known
from tests.integration.station import REPOSITORY, Station, free_port

PATIENCE_S = 600.0
TRIES, HEARD_S = 4, 30.0
PAGE = known()[0]


def wait_until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.2)


def log_of(station: Station) -> str:
    return (station.milestones.parent / "log").read_text(errors="replace")


def children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            words = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(words[1]) == parent and words[0] != "Z":
                found.append(int(entry.name))
    return found


def family(pid: int) -> list[int]:
    """`pid` and all that descend from it."""
    return [pid, *(each for child in children(pid) for each in family(child))]


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """Hold the processes still, so that whatever they were sent stays in their hands."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def give_up(station: Station) -> None:
    """Ask for the answer without an end, and hang up when it has begun."""
    files = {"file": ("page.png", LOOP.png)}
    with station.http.stream("POST", "/ocr", params=LOOP.query | {"stream": True}, files=files) as answer:
        for line in answer.iter_lines():
            if "progress" not in (told := json.loads(line)) or told["progress"].get("text"):
                return


def test_a_page_that_nobody_waits_for_is_given_up(station: Station) -> None:
    (engine,) = station.pids("engine")
    given_up = log_of(station).count("page given up")
    for _ in range(TRIES):  # on a busy machine all may have been written before this hangs up
        give_up(station)
        deadline = time.monotonic() + HEARD_S
        while log_of(station).count("page given up") == given_up and time.monotonic() < deadline:
            time.sleep(0.2)
    assert log_of(station).count("page given up") > given_up
    assert read(station, PAGE)["generation"]["raw"] == PAGE.answer
    assert station.pids("engine") == [engine], "the engine must not have been restarted for it"


def figure(station: Station, name: str, *labels: str) -> float:
    """The sum of one of vLLM's own figures, over what has these labels."""
    lines = [line for line in station.http.get("/metrics").text.splitlines() if line.startswith(name + "{")]
    return sum(float(line.split()[-1]) for line in lines if all(label in line for label in labels))


def test_vllm_itself_writes_no_further(vllm: Station) -> None:
    def finished() -> float:
        return figure(vllm, "vllm:request_success_total")

    counted = []
    for _ in range(TRIES):  # on a busy machine it may have written all before it hears of it
        before = finished()
        give_up(vllm)
        wait_until(lambda: figure(vllm, "vllm:num_requests_running") == 0, "vLLM drops the request")
        counted.append(finished() - before)
        if not counted[-1]:
            return
    raise AssertionError(f"written to its end, it is counted: {counted}")


@contextlib.contextmanager
def impatient_gateway(station: Station, limit_s: int) -> Iterator[httpx.Client]:
    """A second gateway before the same engine, which gives a page `limit_s`."""
    folder = station.milestones.parent
    config: dict[str, Any] = json.loads((folder / "station.json").read_text())
    port = free_port()
    config["api"]["port"], config["ui"]["port"] = port, free_port()
    config["limits"]["request_timeout_s"] = limit_s
    config["milestones"] = str(folder / "other-milestones")
    path = folder / "impatient.json"
    path.write_text(json.dumps(config))
    gateway = subprocess.Popen([sys.executable, "-m", "runtime.gateway", "--config", str(path)], cwd=REPOSITORY)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300, trust_env=False) as http:

            def ready() -> bool:
                with contextlib.suppress(httpx.TransportError):
                    return http.get("/readyz").status_code == 200
                return False

            wait_until(ready, "the second gateway is ready")
            yield http
    finally:
        gateway.terminate()
        gateway.wait(60)


def test_a_page_over_its_time_is_sent_back_and_the_next_one_read(station: Station) -> None:
    (engine,) = station.pids("engine")
    with impatient_gateway(station, 2) as http:
        with stopped([engine]):
            answer = http.post("/ocr", files={"file": ("page.png", PAGE.png)})
        assert (answer.status_code, answer.json()["code"]) == (504, "engine-timeout")
    assert read(station, PAGE)["generation"]["raw"] == PAGE.answer
    assert station.pids("engine") == [engine]


def sent_in_background(station: Station) -> tuple[threading.Thread, list[dict[str, Any]]]:
    """Send PAGE; the list gets its result."""
    results: list[dict[str, Any]] = []
    sender = threading.Thread(target=lambda: results.append(read_patiently(station)))
    sender.start()
    return sender, results


def read_patiently(station: Station) -> dict[str, Any]:
    with httpx.Client(base_url=station.http.base_url, timeout=900, trust_env=False) as http:
        answer = http.post("/ocr", params=PAGE.query, files={"file": ("page.png", PAGE.png)})
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result


def test_a_page_is_finished_though_its_engine_is_killed(transformers: Station) -> None:
    (engine,) = transformers.pids("engine")
    with stopped([engine]):
        sender, results = sent_in_background(transformers)
        time.sleep(1)
        assert sender.is_alive()
        os.kill(engine, signal.SIGKILL)
    sender.join(PATIENCE_S)
    assert results and results[0]["generation"]["raw"] == PAGE.answer
    assert transformers.pids("engine") not in ([], [engine])


def test_vllm_told_what_it_was_at_while_it_loaded(vllm: Station) -> None:
    """Out of what the real one printed: whoever watches the start is told more than that it goes on."""
    folder = vllm.milestones.parent
    printed = (folder / "log").read_bytes().splitlines()
    phases = {step.phase for line in printed if (step := step_of(line)) is not None}
    assert {"weights", "memory"} <= phases
    assert loading(folder / "vllm.server") is not None


def test_a_page_is_finished_though_vllms_server_is_killed(vllm: Station) -> None:
    (engine,), (server,) = vllm.pids("engine"), vllm.pids("engine.vllm_main")
    everyone = family(server)
    assert len(everyone) >= 2
    with stopped([server]):
        sender, results = sent_in_background(vllm)
        time.sleep(1)
        assert sender.is_alive()
        os.kill(server, signal.SIGKILL)
    wait_until(lambda: not any(running(pid) for pid in everyone), "everyone of the old family is gone")
    sender.join(PATIENCE_S)
    assert results and results[0]["generation"]["raw"] == PAGE.answer
    assert vllm.pids("engine") not in ([], [engine])
    assert vllm.pids("engine.vllm_main") not in ([], [server])


def test_vllms_server_keeps_the_model_when_its_engine_is_killed(vllm: Station) -> None:
    (engine,), (server,) = vllm.pids("engine"), vllm.pids("engine.vllm_main")
    with stopped([engine]):
        sender, results = sent_in_background(vllm)
        time.sleep(1)
        os.kill(engine, signal.SIGKILL)
    sender.join(PATIENCE_S)
    assert results and results[0]["generation"]["raw"] == PAGE.answer
    assert vllm.pids("engine") not in ([], [engine])
    assert vllm.pids("engine.vllm_main") == [server]


@pytest.mark.parametrize("name", ["vllm", "transformers"])
def test_nothing_is_left_when_the_station_ends(request: pytest.FixtureRequest, name: str) -> None:
    station: Station = request.getfixturevalue(name)
    everyone = family(station.supervisor.pid)
    assert len(everyone) >= 3
    station.supervisor.send_signal(signal.SIGTERM)
    station.supervisor.wait(120)
    wait_until(lambda: not any(running(pid) for pid in everyone), "no process is left")
