"""vLLM's own server as a child of the engine: its arguments, its start, and its end."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from runtime.child_process import die_with_parent
from runtime.config import ModelConfig

log = logging.getLogger(__name__)

SERVED_NAME = "page"
_POLL_S = 0.2
_GRACE_S = 10.0
_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    # A fork of a process that has touched CUDA cannot use it.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}


def arguments(model: ModelConfig, socket: Path, parallel: int) -> list[str]:
    """Of `vllm serve`, for 0.18 and later.

    No prefix cache and no image cache: no two pages are alike, so both would only cost memory.
    """
    chosen = [
        *(str(model.folder), "--served-model-name", SERVED_NAME, "--uds", str(socket)),
        *("--dtype", model.dtype, "--max-model-len", str(model.context), "--max-num-seqs", str(parallel)),
        *("--limit-mm-per-prompt", json.dumps({"image": 1})),
        *("--no-enable-prefix-caching", "--mm-processor-cache-gb", "0", "--disable-uvicorn-access-log"),
        # The model's folder must not decide how answers are sampled; each request says it.
        *("--generation-config", "vllm"),
    ]
    if model.gpu_memory_utilization is not None:
        chosen += ["--gpu-memory-utilization", str(model.gpu_memory_utilization)]
    if model.safetensors_load_strategy is not None:
        chosen += ["--safetensors-load-strategy", model.safetensors_load_strategy]
    if model.attention_backend is not None:
        chosen += ["--attention-backend", model.attention_backend]
    if model.draft is not None:
        draft = {"method": "dflash", "model": str(model.draft), "num_speculative_tokens": 15}
        chosen += ["--speculative-config", json.dumps(draft)]
    return [*chosen, *model.arguments]


class VllmServer:
    """One run of vLLM's server on the Unix socket `socket`. `start` must be called in a thread that
    lives as long as this process: the kernel ends the server with it."""

    def __init__(self, model: ModelConfig, socket: Path, parallel: int) -> None:
        self.command = [sys.executable, "-m", "runtime.engine.vllm_main", "serve"]
        self.command += arguments(model, socket, parallel)
        self._environment = {**os.environ, **_ENVIRONMENT, **model.environment}
        self._socket = socket
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = False
        self.http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)),
            base_url="http://vllm",
            timeout=httpx.Timeout(30, read=model.stall_s),
            trust_env=False,
        )

    def start(self, on_death: Callable[[], None]) -> None:
        """Return when it answers. Raises RuntimeError if it ends before; later, `on_death` is called, once."""
        self._socket.unlink(missing_ok=True)
        log.info("starting %s", " ".join(self.command))
        self._process = subprocess.Popen(
            self.command, env=self._environment, preexec_fn=die_with_parent(), start_new_session=True
        )
        while not self.answers():
            code = self._process.poll()
            if code is not None:
                raise RuntimeError(f"vLLM's server ended with {code} before it was ready")
            time.sleep(_POLL_S)
        threading.Thread(target=self._watch, args=(self._process, on_death), daemon=True).start()

    def answers(self) -> bool:
        """Whether it is there and says that it can work."""
        try:
            return self.http.get("/health").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _watch(self, process: subprocess.Popen[bytes], on_death: Callable[[], None]) -> None:
        code = process.wait()
        if not self._closing:
            log.error("vLLM's server ended with %d", code)
            on_death()

    def kill(self) -> None:
        """End it at once, its workers too: it hangs."""
        if self._process is not None:
            _signal_session(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it in order, and what is left of it without."""
        self._closing = True
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                log.warning("vLLM's server does not end, killed")
            _signal_session(process.pid, signal.SIGKILL)
            process.wait()
        self.http.close()
        self._socket.unlink(missing_ok=True)


def _signal_session(leader: int, number: signal.Signals) -> None:
    """To every process of the server's group, so that none is left waiting for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)
