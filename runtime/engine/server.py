"""The engine process's HTTP side: health at once, pages one at a time, progress while they are read."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from runtime.engine.contract import Cancelled, Engine, Gone
from runtime.engine.wire import MEDIA_TYPE, Health, Message
from runtime.results import PageResult, Progress
from runtime.tasks.task import Ask

log = logging.getLogger(__name__)

MessageSink = Callable[[Message], None]


class EngineServer:
    """Serves one engine. Its work is done in `parallel` threads, one of them by itself unless it wants more."""

    def __init__(self, engine: Engine, *, max_pixels: int, parallel: int = 1) -> None:
        self._engine = engine
        self._max_pixels = max_pixels
        self._instance = uuid.uuid4().hex
        self._ready = False
        self._worker = ThreadPoolExecutor(parallel, thread_name_prefix="engine")
        routes = [
            Route("/health", self._health),
            Route("/metrics", self._metrics),
            Route("/read", self._read, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    async def load(self) -> None:
        """Load the engine in its thread. If it cannot, end the process: whoever started it decides."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._engine.load)
        except Exception:
            log.exception("the engine cannot be loaded")
            os.kill(os.getpid(), signal.SIGTERM)
            raise
        self._ready = True
        log.info("ready: %s", self._engine.info())

    async def _health(self, _: Request) -> Response:
        health = Health(
            state="ready" if self._ready else "loading",
            engine=self._engine.info(),
            instance=self._instance,
            tasks=self._engine.tasks(),
            why_not=self._engine.why_not(),
        )
        return Response(health.model_dump_json(), media_type="application/json")

    async def _metrics(self, _: Request) -> Response:
        return PlainTextResponse(await asyncio.to_thread(self._engine.metrics))

    async def _read(self, request: Request) -> Response:
        try:
            width, height = (int(request.query_params[name]) for name in ("width", "height"))
        except (KeyError, ValueError):
            return PlainTextResponse("width and height are wanted, in pixels", 400)
        try:
            ask = Ask.model_validate_json(request.query_params.get("ask", "{}"))
        except ValidationError:
            return PlainTextResponse("ask is not an Ask", 400)
        if width < 1 or height < 1 or width * height > self._max_pixels:
            return PlainTextResponse("too many pixels, or none", 413)
        pixels = bytearray()
        async for chunk in request.stream():
            pixels += chunk
            if len(pixels) > width * height * 3:
                break
        if len(pixels) != width * height * 3:
            return PlainTextResponse("the body is not width * height * 3 bytes", 400)
        return StreamingResponse(self._messages(pixels, (width, height), ask), media_type=MEDIA_TYPE)

    async def _messages(self, pixels: bytearray, size: tuple[int, int], ask: Ask) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        messages: asyncio.Queue[Message | None] = asyncio.Queue()
        cancelled = threading.Event()

        def send(message: Message | None) -> None:
            loop.call_soon_threadsafe(messages.put_nowait, message)

        def work() -> None:
            try:
                send(Message(result=self._read_page(pixels, size, ask, send, cancelled)))
            except Cancelled:
                log.info("page given up: nobody waits for it")
                send(Message(error="cancelled"))
            except Gone as gone:
                log.error("the model is gone: %s", gone)
                send(None)  # an answer without an end: the page may be sent again
                os.kill(os.getpid(), signal.SIGTERM)
            except Exception as error:
                log.exception("page not read")
                send(Message(error=f"{type(error).__name__}: {error}"))

        future = loop.run_in_executor(self._worker, work)
        try:
            while True:
                message = await messages.get()
                if message is None:
                    return
                yield message.line()
                if message.progress is None:
                    return
        finally:
            cancelled.set()
            future.cancel()

    def _read_page(
        self,
        pixels: bytearray,
        size: tuple[int, int],
        ask: Ask,
        send: MessageSink,
        cancelled: threading.Event,
    ) -> PageResult:
        import numpy as np

        if cancelled.is_set():
            raise Cancelled
        page = np.frombuffer(pixels, np.uint8).reshape(size[1], size[0], 3)

        def on_progress(progress: Progress) -> None:
            send(Message(progress=progress))

        return self._engine.read(page, ask, on_progress, cancelled)
