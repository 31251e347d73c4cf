"""vLLM's server gets the arguments that the profile's model wants; the engine finds it, watches it, ends it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.config import EngineConfig, ModelConfig
from runtime.engine import vllm_server
from runtime.engine.vllm_server import VllmServer, arguments, pages_together, socket_of

_SOCKET = Path("/run/inkstick/engines/vllm.server")
PATIENCE_S = 60


def after(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def test_by_default_nothing_listens_on_a_port_and_nothing_is_cached() -> None:
    words = arguments(ModelConfig(folder=Path("/model")), _SOCKET, 4)
    assert words[0] == "/model" and after(words, "--uds") == str(_SOCKET)
    assert "--no-enable-prefix-caching" in words and after(words, "--mm-processor-cache-gb") == "0"
    assert after(words, "--max-num-seqs") == "4" and after(words, "--generation-config") == "vllm"
    assert not {"--host", "--port", "--gpu-memory-utilization", "--speculative-config"} & set(words)


def test_what_the_card_and_the_weights_want_is_passed_on() -> None:
    model = ModelConfig(
        folder=Path("/model"),
        generation="1.5",
        context=32768,
        gpu_memory_utilization=0.78,
        safetensors_load_strategy="prefetch",
        attention_backend="FLASH_ATTN",
        draft=Path("/model/dflash"),
        arguments=["--enforce-eager"],
    )
    words = arguments(model, _SOCKET, 1)
    assert after(words, "--max-model-len") == "32768"
    assert after(words, "--gpu-memory-utilization") == "0.78"
    assert after(words, "--safetensors-load-strategy") == "prefetch"
    assert after(words, "--attention-backend") == "FLASH_ATTN"
    assert json.loads(after(words, "--speculative-config"))["model"] == "/model/dflash"
    assert words[-1] == "--enforce-eager"


@pytest.mark.parametrize("native", [True, False])
def test_only_a_vllm_with_the_models_own_code_gets_pages_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    package = tmp_path / "vllm"
    (package / "model_executor/models").mkdir(parents=True)
    (package / "__init__.py").touch()
    if native:
        (package / "model_executor/models/hunyuan_vision.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert pages_together(8) == (8 if native else 1)


def test_server_and_engine_agree_on_the_socket() -> None:
    assert socket_of(EngineConfig(name="vllm", socket=Path("/run/inkstick/engines/vllm.sock"))) == _SOCKET


_PROGRAM = """
import http.server, socketserver, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("content-length", "0"); self.end_headers()
    def address_string(self): return "unix"
    def log_message(self, *_): pass
socketserver.ThreadingUnixStreamServer(sys.argv[1], Answer).serve_forever()
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[VllmServer, subprocess.Popen[bytes]]]:
    """A program that answers on the socket, started a moment after it is waited for."""
    path = tmp_path / "server"
    server = VllmServer(path, 30)
    processes: list[subprocess.Popen[bytes]] = []

    def later() -> None:
        time.sleep(0.5)
        processes.append(subprocess.Popen([sys.executable, "-c", _PROGRAM, str(path)]))

    starter = threading.Thread(target=later)
    starter.start()
    try:
        died.clear()
        server.wait(died.set)
        starter.join()
        yield server, processes[0]
    finally:
        server.close()
        for process in processes:
            process.kill()
            process.wait()


died = threading.Event()


def test_the_engine_waits_for_its_server_and_learns_of_its_death(
    started: tuple[VllmServer, subprocess.Popen[bytes]],
) -> None:
    server, process = started
    assert server.answers() and server.process() == process.pid and not died.is_set()
    process.kill()
    assert died.wait(PATIENCE_S)


def test_a_server_that_hangs_is_ended(started: tuple[VllmServer, subprocess.Popen[bytes]]) -> None:
    server, process = started
    server.kill()
    assert process.wait(PATIENCE_S) == -9
    assert died.wait(PATIENCE_S)
    server.kill()  # nobody listens any more: nothing to do


def test_an_engine_that_ends_while_it_waits_does_so(tmp_path: Path) -> None:
    server = VllmServer(tmp_path / "server", 30)
    threading.Timer(0.5, server.close).start()
    with pytest.raises(RuntimeError, match="closed"):
        server.wait(died.set)


def test_what_leaves_the_machine_is_switched_off() -> None:
    assert vllm_server.ENVIRONMENT["HF_HUB_OFFLINE"] == "1" == vllm_server.ENVIRONMENT["VLLM_NO_USAGE_STATS"]
