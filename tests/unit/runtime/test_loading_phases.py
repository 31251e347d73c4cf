"""What vLLM prints while it loads, told as steps; not a byte of it is lost on the way to the journal."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runtime.engine.loading_phases import follow, loading, phases_of, step_of
from runtime.engine.wire import Loading
from tests.integration.station import REPOSITORY


@pytest.mark.parametrize(
    ("line", "step"),
    [
        (b"(EngineCore pid=7) INFO 11-22 [gpu_model_runner.py:5040] Starting to load model /m...", ("weights", None)),
        (b"Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:01<00:01, 1.02s/it]", ("weights", 0.5)),
        (b"INFO [default_loader.py:502] Loading weights took 0.52 seconds", ("weights", None)),
        (b"INFO [gpu_model_runner.py:5150] Model loading took 1.9 GiB memory and 2.1 seconds", ("memory", None)),
        (b"INFO [backends.py] Dynamo bytecode transform time: 4.31 s", ("compile", None)),
        (b"Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  20%|##  | 2/10", ("graphs", 0.2)),
        (b"INFO [api_server.py] GET /health", None),
        (b"", None),
    ],
)
def test_a_line_tells_the_step(line: bytes, step: tuple[str, float | None] | None) -> None:
    found = step_of(line)
    assert (None if found is None else (found.phase, found.share)) == step


def test_all_is_handed_on_and_the_last_step_is_kept(tmp_path: Path) -> None:
    server = tmp_path / "vllm.server"
    phases_of(server).write_text("of another start")
    printed = b"x" * 200_000 + b"\nStarting to load model /m...\rLoading safetensors checkpoint shards:  75% Comp"
    rest = b"leted | 3/4\rand an end without a line's end"
    (read, write), (out, into) = os.pipe(), os.pipe()
    got = bytearray()

    def collect() -> None:
        while chunk := os.read(out, 65536):
            got.extend(chunk)

    def work() -> None:
        follow(read, into, phases_of(server))
        os.close(into)

    threads = [threading.Thread(target=collect), threading.Thread(target=work)]
    for thread in threads:
        thread.start()
    for part in (printed, rest):
        view = memoryview(part)
        while view:
            view = view[os.write(write, view) :]
    os.close(write)
    for thread in threads:
        thread.join(60)
    for descriptor in (read, out):
        os.close(descriptor)
    assert bytes(got) == printed + rest
    assert loading(server) == Loading(phase="weights", share=0.75)


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "runtime.engine.loading_phases", str(tmp_path / "none/vllm.loading")]
    done = subprocess.run(
        argv, cwd=REPOSITORY, input=b"Starting to load model /m\nready\n", capture_output=True, check=True
    )
    assert done.stdout == b"Starting to load model /m\nready\n"


def test_nobody_has_said_anything(tmp_path: Path) -> None:
    server = tmp_path / "vllm.server"
    assert loading(server) is None
    phases_of(server).write_text("half a li")
    assert loading(server) is None
