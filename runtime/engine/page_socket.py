"""How a page comes to an engine: through a socket beside the one for its HTTP, as memory that is shared.

Whoever connects to `SOCKET.pages` sends a Question, a line of JSON, and with it the descriptor of a memfd that
holds the pixels. The engine answers lines, each a Message, and closes; to close before it gives the page up.
A page of 4 MB is on its way for half a millisecond so. As the body of a request of HTTP it took twelve, and
as a request that named memory two and a half.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import ValidationError

from runtime.documents.pixels import Pixels
from runtime.engine.wire import Message, Question
from runtime.sockets import listen_unix

log = logging.getLogger(__name__)

_LONGEST_QUESTION_BYTES = 1 << 16
_LONGEST_LINE_BYTES = 1 << 27

Answer = Callable[[Question, int], AsyncGenerator[bytes]]
"""Given what is asked and the pixels' descriptor, which is then its own."""


def beside(engine: Path) -> Path:
    """The socket for pages of the engine whose HTTP is at `engine`."""
    return engine.with_name(f"{engine.name}.pages")


def asked(question: Question, pixels: Pixels, engine: Path) -> socket.socket:
    """The connection on which the engine whose HTTP is at `engine` will answer. Raises OSError if it is not there."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)  # a full queue is an engine that hangs, and this is an event loop
        connection.connect(str(beside(engine)))
        socket.send_fds(connection, [question.line()], [pixels.descriptor])
    except OSError:
        connection.close()
        raise
    return connection


async def answers(connection: socket.socket) -> AsyncGenerator[bytes]:
    """Lines of the answer until the engine closes; ending the iterator closes here. Raises OSError."""
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=_LONGEST_LINE_BYTES)
    try:
        async for line in reader:
            yield line
    finally:
        writer.close()


class PageSocket:
    """The engine's end. `answer` is called in its event loop, once for each page."""

    def __init__(self, engine: Path, answer: Answer) -> None:
        self._path = beside(engine)
        self._answer = answer
        self._in_hand: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take pages for as long as the context lasts; in the end those in hand are answered still."""
        listener = listen_unix(self._path)
        listener.setblocking(False)
        accepting = asyncio.create_task(self._accept(listener))
        try:
            yield
        finally:
            accepting.cancel()
            await asyncio.wait([accepting])
            listener.close()
            self._path.unlink(missing_ok=True)
            if self._in_hand:
                await asyncio.wait(self._in_hand)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError:  # no descriptor is free, say: one may be again
                log.exception("a page could not be taken")
                await asyncio.sleep(1)
                continue
            serving = asyncio.create_task(self._serve(connection))
            self._in_hand.add(serving)
            serving.add_done_callback(self._in_hand.discard)

    async def _serve(self, connection: socket.socket) -> None:
        with connection:
            question, descriptors = await _received(connection)
            if not question or len(descriptors) != 1:
                log.warning("a page came without its pixels")
                return
            sending = asyncio.create_task(self._send(connection, question, descriptors[0]))
            gone = asyncio.create_task(_closed(connection))
            try:
                await asyncio.wait([sending, gone], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in (sending, gone):
                    each.cancel()
                await asyncio.wait([sending, gone])

    async def _send(self, connection: socket.socket, question: bytes, descriptor: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            lines = self._answer(Question.model_validate_json(question), descriptor)
        except ValidationError:
            os.close(descriptor)
            lines = _refusal()
        async with contextlib.aclosing(lines):
            async for line in lines:
                await loop.sock_sendall(connection, line)


async def _refusal() -> AsyncGenerator[bytes]:
    yield Message(error="no question").line()


async def _closed(connection: socket.socket) -> None:
    """Wait until the other end is: it has nothing to say after its question."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while await loop.sock_recv(connection, 1024):
            pass


async def _received(connection: socket.socket) -> tuple[bytes, list[int]]:
    """The question and what came with it; no question if it is too long or its sender left."""
    connection.setblocking(False)
    question, held = b"", []
    with contextlib.suppress(OSError):
        while not question.endswith(b"\n") and len(question) < _LONGEST_QUESTION_BYTES:
            try:
                more, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_QUESTION_BYTES, 1)
            except BlockingIOError:
                await _readable(connection)
                continue
            held += descriptors
            if not more:
                break
            question += more
    if question.endswith(b"\n"):
        return question, held
    for descriptor in held:
        os.close(descriptor)
    return b"", []


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(connection, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(connection)
