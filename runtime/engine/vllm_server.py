"""vLLM's own server, a program beside the engine: its arguments, and how the engine finds, watches and ends it.

On the station it is a unit of its own (inkstick-vllm.service); `build.py serve` starts it beside the
engine. It listens on a Unix socket, and keeps the model when the engine is started again.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import httpx

from runtime.config import EngineConfig, ModelConfig

log = logging.getLogger(__name__)

SERVED_NAME = "page"
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    # A fork of a process that has touched CUDA cannot use it.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}
_POLL_S = 0.2
_TELL_EVERY_S = 60.0


def socket_of(engine: EngineConfig) -> Path:
    """Where the server of this engine listens."""
    return engine.socket.with_suffix(".server")


def pages_together(wanted: int) -> int:
    """How many pages vLLM may read at a time: `wanted`, or one where its version would mix them.

    Up to 0.28 vLLM has HunYuanVL's own code; since 0.29 it runs it by its transformers backend, which
    (0.32, models/transformers/multimodal.py, _split_embeddings) parts what the vision tower made of several
    pages by their patches, not by their tokens, of which HunYuanVL has one more in each row: the second
    page is then answered with pieces of the first.
    """
    found = find_spec("vllm")
    if found is None or found.origin is None:
        return 1
    own_code = Path(found.origin).parent / "model_executor/models/hunyuan_vision.py"
    return wanted if own_code.is_file() else 1


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
    """The server on the Unix socket `path`. One that is silent for `stall_s` while it writes, hangs."""

    def __init__(self, path: Path, stall_s: float) -> None:
        self._path = path
        self._closed = threading.Event()
        self.http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(path)),
            base_url="http://vllm",
            timeout=httpx.Timeout(30, read=stall_s),
            trust_env=False,
        )

    def wait(self, on_death: Callable[[], None]) -> None:
        """Return when it answers; `on_death` is called, once, when that server has ended.

        Whoever supervises it starts it: this waits for as long as it takes. Raises RuntimeError when
        this is closed meanwhile.
        """
        started = told = time.monotonic()
        while not self.answers():
            if self._closed.wait(_POLL_S):
                raise RuntimeError("closed before vLLM's server was ready")
            if time.monotonic() - told >= _TELL_EVERY_S:
                told = time.monotonic()
                log.info("waiting for vLLM's server since %.0f s", told - started)
        threading.Thread(target=self._watch, args=(self._handle(), on_death), daemon=True).start()

    def answers(self) -> bool:
        """Whether it is there and says that it can work."""
        try:
            return self.http.get("/health").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _watch(self, handle: int | None, on_death: Callable[[], None]) -> None:
        if handle is not None:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            poll.poll()
            os.close(handle)
        if not self._closed.is_set():
            log.error("vLLM's server has ended")
            on_death()

    def _handle(self) -> int | None:
        """A file that becomes readable when the process behind the socket ends; None if it has."""
        with suppress(OSError):
            return os.pidfd_open(self.process())
        return None

    def process(self) -> int:
        """The process that listens: the kernel tells it of every connection. Raises OSError if none does."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._path))
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid: int = struct.unpack("3i", credentials)[0]
        return pid

    def kill(self) -> None:
        """End it at once: it hangs. Its workers end with it; its supervisor starts the next."""
        with suppress(OSError):
            os.kill(self.process(), signal.SIGKILL)

    def close(self) -> None:
        """Stop looking after it. The server itself stays."""
        self._closed.set()
        self.http.close()
