"""The engine process's HTTP side: health at once, a page for each worker, progress while they are read."""

from __future__ import annotations

import asyncio
import logging
import mmap
import os
import queue
import signal
import threading
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from runtime.documents.pixels import Pixels
from runtime.engine import memory
from runtime.engine.contract import Cancelled, Engine, Gone, NotItsScript, OnProgress
from runtime.engine.graphics import Cards
from runtime.engine.page_socket import PageSocket
from runtime.engine.pulse import Pulse
from runtime.engine.wire import MEDIA_TYPE, Health, Message, Question
from runtime.results import PageResult, Progress
from runtime.tasks.task import Ask

log = logging.getLogger(__name__)

_STALL_S = 600
_TELL_EVERY_S = 0.1
"""How far a stage is. Each time takes two processes from their cores, on which the models run."""
_LIFE_EVERY_S = 1.0
"""That it goes on, where nobody follows how far it is."""
Buffer = bytearray | mmap.mmap


class EngineServer:
    """Serves one engine: `workers` has an instance for each page in hand, all alike, or the same one several times.

    `recycle_bytes`: a process larger than this takes no more pages and ends when the last is done, but
    not before it has read `recycle_pages`. `socket`: that of its HTTP; pages come through one beside it.
    """

    def __init__(
        self,
        workers: Sequence[Engine],
        *,
        max_pixels: int,
        recycle_bytes: int,
        recycle_pages: int,
        socket: Path | None = None,
    ) -> None:
        self._socket = socket
        self._engine = workers[0]
        self._workers = tuple(dict.fromkeys(workers))
        self._max_pixels = max_pixels
        self._recycle_bytes = recycle_bytes
        self._recycle_pages = recycle_pages
        self._read_pages = 0
        self._instance = uuid.uuid4().hex
        self._ready = self._recycles = self._model_gone = False
        self._cards = Cards()
        self._threads = ThreadPoolExecutor(len(workers), thread_name_prefix="engine")
        self._free: queue.SimpleQueue[Engine] = queue.SimpleQueue()
        for worker in workers:
            self._free.put(worker)
        self.pulse = Pulse(together=self._engine.together)
        routes = [
            Route("/health", self._health),
            Route("/metrics", self._metrics),
            Route("/read", self._read, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes, lifespan=self._pages)

    @asynccontextmanager
    async def _pages(self, _: Starlette) -> AsyncIterator[None]:
        """Ends after the server's own answers, so that a page in hand is answered before the process ends."""
        async with AsyncExitStack() as stack:
            if self._socket is not None:
                await stack.enter_async_context(PageSocket(self._socket, self._answer).open())
            yield

    async def load(self, limit_s: float) -> None:
        """Load the engine in its thread. If it cannot, end the process: whoever started it decides."""

        def load_all() -> None:
            with self.pulse.work(limit_s):
                for worker in self._workers:
                    worker.load()

        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, load_all)
        except Exception:
            log.exception("the engine cannot be loaded")
            os.kill(os.getpid(), signal.SIGTERM)
            raise
        self._ready = True
        log.info("ready: %s", self._engine.info())

    async def _health(self, _: Request) -> Response:
        health = Health(
            state="ready" if self._ready and not self._ends else "loading",
            loading=None if self._ready else self._engine.loading(),
            engine=self._engine.info(),
            instance=self._instance,
            tasks=self._engine.tasks(),
            why_not=self._engine.why_not(),
            why_not_zh=self._engine.why_not_zh(),
            prompts=self._engine.takes_prompts(),
            silent_s=self.pulse.silent_s(),
            hangs=self.pulse.hangs(),
            memory_bytes=memory.resident_bytes(),
            gpus=self._cards.now(),
        )
        return Response(health.model_dump_json(), media_type="application/json")

    @property
    def _ends(self) -> bool:
        """It takes no more pages. One that it lost is sent again at once, and must not come back here."""
        return self._recycles or self._model_gone

    async def _metrics(self, _: Request) -> Response:
        return PlainTextResponse(await asyncio.to_thread(self._engine.metrics))

    async def _read(self, request: Request) -> Response:
        if self._ends:
            return PlainTextResponse("not now: this engine is about to be started anew", 503)
        try:
            width, height = (int(request.query_params[name]) for name in ("width", "height"))
            stall_s = int(request.query_params.get("stall_s", _STALL_S))
        except (KeyError, ValueError):
            return PlainTextResponse("width and height are wanted, in pixels", 400)
        try:
            ask = Ask.model_validate_json(request.query_params.get("ask", "{}"))
        except ValidationError:
            return PlainTextResponse("ask is not an Ask", 400)
        if width < 1 or height < 1 or width * height > self._max_pixels:
            return PlainTextResponse("too many pixels, or none", 413)
        try:
            pixels = await self._pixels(request, width * height * 3)
        except ValueError:
            return PlainTextResponse("the body is not width * height * 3 bytes", 400)
        question = Question(width=width, height=height, ask=ask, stall_s=stall_s)
        return StreamingResponse(self._messages(pixels, question), media_type=MEDIA_TYPE)

    async def _pixels(self, request: Request, size_bytes: int) -> Buffer:
        """Raises ValueError if they are too few or too many."""
        pixels = bytearray()
        async for chunk in request.stream():
            pixels += chunk
            if len(pixels) > size_bytes:
                break
        if len(pixels) != size_bytes:
            raise ValueError(len(pixels))
        return pixels

    async def _answer(self, question: Question, descriptor: int) -> AsyncGenerator[bytes]:
        width, height = question.width, question.height
        try:
            held = Pixels(descriptor, width * height * 3)
            if self._ends:
                yield Message(away=True).line()
                return
            if width < 1 or height < 1 or width * height > self._max_pixels:
                raise ValueError("too many pixels, or none")
            pixels = held.mapped()
        except (ValueError, OSError) as error:
            yield Message(error=f"{type(error).__name__}: {error}").line()
            return
        async with aclosing(self._messages(pixels, question)) as lines:
            async for line in lines:
                yield line

    async def _messages(self, pixels: Buffer, question: Question) -> AsyncGenerator[bytes]:
        loop = asyncio.get_running_loop()
        messages: asyncio.Queue[Message | None] = asyncio.Queue()
        cancelled = threading.Event()

        def send(message: Message | None) -> None:
            loop.call_soon_threadsafe(messages.put_nowait, message)

        def work() -> None:
            try:
                with self.pulse.work(question.stall_s) as beat:
                    result = self._read_page(pixels, question, _Telling(question.followed, beat, send), cancelled)
                self._recycle_if_grown()
                send(Message(result=result, recycles=self._recycles or None))
            except Cancelled:
                log.info("page given up: nobody waits for it")
                send(Message(error="cancelled"))
            except NotItsScript as refused:
                log.info("page in %s, which is not read here", refused)
                send(Message(not_read=refused.not_read))
            except Gone as gone:
                log.error("the model is gone: %s", gone)
                self._model_gone = True
                send(None)  # an answer without an end: the page may be sent again
                os.kill(os.getpid(), signal.SIGTERM)
            except Exception as error:
                log.exception("page not read")
                send(Message(error=f"{type(error).__name__}: {error}"))
            finally:
                if self._recycles and not self.pulse.in_hand:
                    os.kill(os.getpid(), signal.SIGTERM)  # in order: the last answer is sent first

        future = loop.run_in_executor(self._threads, work)
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
        self, pixels: Buffer, question: Question, tell: OnProgress, cancelled: threading.Event
    ) -> PageResult:
        import numpy as np

        if cancelled.is_set():
            raise Cancelled
        page = np.frombuffer(pixels, np.uint8).reshape(question.height, question.width, 3)
        worker = self._free.get()
        try:
            return worker.read(page, question.ask, tell, cancelled)
        finally:
            self._free.put(worker)

    def _recycle_if_grown(self) -> None:
        self._read_pages += 1
        if self._read_pages < self._recycle_pages or memory.resident_bytes() <= self._recycle_bytes:
            return
        memory.give_back()
        if (size := memory.resident_bytes()) > self._recycle_bytes:
            log.warning("it has %d MiB of memory: it takes no more pages and is started anew", size >> 20)
            self._recycles = True


class _Telling:
    """Sends on what an engine tells of a page, as much of it as whoever asked wants."""

    def __init__(self, followed: bool, beat: Callable[[], None], send: Callable[[Message], None]) -> None:
        self._followed = followed
        self._beat = beat
        self._send = send
        self._stage = ""
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        self._beat()
        silent_s = time.monotonic() - self._last
        if self._followed:
            wanted = progress.text or progress.stage != self._stage or silent_s >= _TELL_EVERY_S
        else:
            wanted = silent_s >= _LIFE_EVERY_S
        if wanted:
            self._stage, self._last = progress.stage, time.monotonic()
            self._send(Message(progress=progress))
