"""HunyuanOCR by vLLM: its server is a program of its own, asked page by page over a Unix socket.

When the server dies or hangs, this process ends too and both are started anew by whoever supervises
them; the gateway sends the pages in hand again. When this process dies, the server keeps the model.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from runtime.config import EngineConfig, ModelConfig
from runtime.engine import loading_phases
from runtime.engine.contract import Cancelled, Gone
from runtime.engine.prompted import PromptedEngine, Writing, model_of, sampling
from runtime.engine.vllm_server import SERVED_NAME, VllmServer, pages_together, socket_of
from runtime.engine.wire import Loading
from runtime.results import Finish

log = logging.getLogger(__name__)

_FAST = 1
"""PNG's least effort: a page stays on this machine, and every digit of it must arrive."""
_LOOK_S = 0.1
_CELL = 32
"""Pixels in a row that are one token."""
_LEAST_PAGE_TOKENS = 512
"""A page smaller than 512 x 512 pixels is enlarged to it: 16 rows of 17 tokens, and more if it is a strip."""
_PROMPT_TOKENS = 1024


class VllmEngine(PromptedEngine):
    """`parallel`: pages that vLLM may read at a time, where its version can; its scheduler batches them."""

    together = True

    def __init__(self, model: ModelConfig, path: Path, *, parallel: int = 1) -> None:
        super().__init__(model, name="vllm", version=version("vllm"))
        if pages_together(parallel) < parallel:
            log.warning("this vLLM would mix pages that it reads together: it gets one at a time")
        self._path = path
        self.server = VllmServer(path, model.stall_s)

    @classmethod
    def configured(cls, config: EngineConfig) -> VllmEngine:
        return cls(model_of(config), socket_of(config), parallel=config.parallel)

    def _start(self) -> None:
        self.server.wait(on_death=lambda: os.kill(os.getpid(), signal.SIGTERM))

    def close(self) -> None:
        self.server.close()

    def loading(self) -> Loading | None:
        return super().loading() or loading_phases.loading(self._path)

    def metrics(self) -> str:
        try:
            lines = self.server.http.get("/metrics", timeout=1).text.splitlines(keepends=True)
        except httpx.HTTPError:
            return ""
        return "".join(line for line in lines if "vllm:" in line)

    def _write(
        self, page: Image.Image, words: str, limit: int, writing: Writing, cancelled: threading.Event
    ) -> Finish:
        request = self._request(page, words, limit)
        try:
            with (
                self.server.http.stream("POST", "/v1/chat/completions", json=request) as answer,
                _closed_when(cancelled, answer),
            ):
                if answer.status_code != httpx.codes.OK:
                    raise _Failed(f"vLLM answered {answer.status_code}: {answer.read().decode(errors='replace')}")
                return _follow(answer, writing, cancelled)
        except _Failed as failed:
            if self.server.answers():
                raise  # this page alone
            raise Gone(str(failed)) from failed
        except httpx.HTTPError as error:
            if cancelled.is_set():
                raise Cancelled from None
            if isinstance(error, httpx.TimeoutException):
                self.server.kill()
            raise Gone(f"{type(error).__name__}: {error}") from error

    def _request(self, page: Image.Image, words: str, limit: int) -> dict[str, Any]:
        held = io.BytesIO()
        page.save(held, "PNG", compress_level=_FAST)
        address = "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()
        return {
            "model": SERVED_NAME,
            "messages": [
                {"role": "system", "content": ""},
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": address}},
                        {"type": "text", "text": words},
                    ],
                },
            ],
            "stream": True,
            # vLLM refuses a limit that the context has no room for; without one, it takes what room there is.
            "max_completion_tokens": limit if limit + _most_tokens(page) <= self.model.context else None,
            "temperature": 0,
            **({} if self.model.forced_tokens is None else {"min_tokens": limit, "ignore_eos": True}),
            "logprobs": True,
            "top_logprobs": 0,
            "return_token_ids": True,
            **sampling(self.model.generation),
        }


class _Failed(RuntimeError):
    """vLLM said that it cannot read this page."""


def _most_tokens(page: Image.Image) -> int:
    """At most so many tokens are the page and its prompt, before the processor's limit makes it smaller."""
    width, height = (side // _CELL + 1 for side in page.size)
    return max(height * (width + 1), _LEAST_PAGE_TOKENS) + _PROMPT_TOKENS


@contextmanager
def _closed_when(cancelled: threading.Event, answer: httpx.Response) -> Iterator[None]:
    """Close `answer` soon after `cancelled` is set, also while the next token is waited for: vLLM then
    gives the page up."""
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if cancelled.wait(_LOOK_S):
                with suppress(OSError):
                    stream = answer.extensions["network_stream"].get_extra_info("socket")
                    stream.shutdown(socket.SHUT_RDWR)  # closing alone would not wake who reads from it
                return

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def _follow(answer: httpx.Response, writing: Writing, cancelled: threading.Event) -> Finish:
    """Read the events of `answer` into `writing`. Raises Gone if they end too early."""
    for line in answer.iter_lines():
        if cancelled.is_set():
            raise Cancelled
        kind, _, data = line.partition(": ")
        if kind != "data" or data == "[DONE]":
            continue
        event = json.loads(data)
        if "error" in event:
            raise _Failed(f"vLLM failed while writing: {event['error']}")
        for choice in event["choices"]:
            finish = choice["finish_reason"]
            numbers = choice.get("token_ids") or []
            logprobs = [each["logprob"] for each in (choice.get("logprobs") or {}).get("content") or []]
            if finish == "stop":  # the last token is the model's own end
                numbers, logprobs = numbers[:-1], logprobs[:-1]
            writing.add(choice["delta"].get("content") or "", numbers, logprobs)
            if writing.repeating:
                return "repeating"
            if finish is not None:
                return "complete" if finish == "stop" else "truncated"
    raise Gone("vLLM's answer ended early")
