"""Documents opened in short-lived processes that have no files, little memory and little time.

One process stands by, libraries loaded, and forks ahead of every request: a fork costs milliseconds, a
new interpreter a good part of a second. Files and pixels go through memory descriptors.
"""

from __future__ import annotations

import asyncio
import json
import logging
import mmap
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from runtime.config import Limits
from runtime.documents.decode import PixelPage
from runtime.documents.parts import Corners, Cut, Description, PrintedLine, Region, Reply, Request
from runtime.documents.pictures import Kind
from runtime.documents.pixels import Pixels, new_memory
from runtime.documents.refusals import DECODER_CRASHED, KINDS, TOO_COSTLY
from runtime.problems import EMPTY_FILE, FILE_TOO_LARGE, INTERNAL, Problem

log = logging.getLogger(__name__)

Opening = asyncio.Task[PixelPage | None]
"""A page that is being opened; None if its decoder ended before that."""
_ORDINARY_PAGE_BYTES = 3 * 1600 * 1600
_SAVE_ANEW = "Save it again with another program."


@dataclass(frozen=True)
class TextPage:
    """A page whose text was in the document itself; `width` and `height` are what its boxes are in."""

    width: int
    height: int
    lines: tuple[PrintedLine, ...]


@dataclass(frozen=True)
class CutOut:
    """A page out of a photograph. `corners`: where the sheet lay; None where all of the photograph was taken."""

    jpeg: bytes
    corners: Corners | None
    sharp: bool


class Cage:
    """`cage.describe(data)`, `cage.render(data, page)`; close it in the end. Starts its process when first used."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._laid_out: queue.SimpleQueue[int] = queue.SimpleQueue()

    async def describe(self, data: bytes, password: str = "") -> Description:
        """What pages it has. Raises Problem: any of `refusals.KINDS`."""
        reply, _ = await asyncio.to_thread(
            self._ask, data, Request(what="describe", limits=self._limits, password=password)
        )
        assert reply.description is not None
        return reply.description

    async def render(
        self, data: bytes, page: int, *, region: Region | None = None, take_text: bool = False, password: str = ""
    ) -> PixelPage | TextPage:
        """Page number `page`, from 0, as pixels; as its own text where `take_text` and that is good.

        Raises Problem: any of `refusals.KINDS`.
        """
        request = Request(
            what="render", limits=self._limits, page=page, region=region, take_text=take_text, password=password
        )
        return await asyncio.to_thread(self._render, data, request)

    async def open(self, data: bytes, region: Region | None = None) -> tuple[Description, Opening | None]:
        """What pages it has; and of an image with one page alone that page, which is under way by then.

        Raises Problem as `describe` does; awaiting the page raises what `render` does.
        """
        loop = asyncio.get_running_loop()
        described: asyncio.Future[Description] = loop.create_future()

        def tell(description: Description) -> None:
            if not described.done():
                described.set_result(description)

        def work() -> PixelPage | None:
            request = Request(what="open", limits=self._limits, region=region)
            with self._asked(data, request) as (replies, output):
                description = next(replies).description
                assert description is not None
                loop.call_soon_threadsafe(tell, description)
                reply = next(replies, None)
                return None if reply is None else _page(reply, output)

        opening = asyncio.create_task(asyncio.to_thread(work))

        def over(task: Opening) -> None:
            _ = task.cancelled() or task.exception()  # nobody may come for it
            loop.run_in_executor(None, self._lay_out)

        opening.add_done_callback(over)
        first: set[asyncio.Future[Any]] = {described, opening}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not described.done():
            await opening
        description = await described
        one = len(description.pages) == 1 and description.format not in ("PDF", "ZIP")
        return description, opening if one else None

    async def picture(self, data: bytes, kind: Kind, clockwise: int = 0, page: int = 0, password: str = "") -> bytes:
        """A small JPEG of page number `page`, from 0, for the screen. Raises Problem as `render` does."""
        request = Request(
            what="picture", limits=self._limits, kind=kind, clockwise=clockwise, page=page, password=password
        )
        _, jpeg = await asyncio.to_thread(self._ask, data, request)
        return jpeg

    async def look(self, frame: bytes) -> Corners | None:
        """Where a sheet lies in a camera's frame. Raises Problem as `render` does."""
        reply, _ = await asyncio.to_thread(self._ask, frame, Request(what="look", limits=self._limits))
        return reply.corners

    async def cut_out(self, photograph: bytes, cut: Cut, clockwise: int = 0) -> CutOut:
        """The sheet in a photograph as a page. Raises Problem as `render` does."""
        request = Request(what="cut_out", limits=self._limits, cut=cut, clockwise=clockwise)
        reply, jpeg = await asyncio.to_thread(self._ask, photograph, request)
        return CutOut(jpeg, reply.corners, reply.sharp)

    def close(self) -> None:
        """End the process that stands by."""
        with self._lock:
            process, self._process = self._process, None
            requests, self._requests = self._requests, None
        if requests is not None:
            requests.close()
        while not self._laid_out.empty():
            os.close(self._laid_out.get())
        if process is not None:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _render(self, data: bytes, request: Request) -> PixelPage | TextPage:
        with self._asked(data, request) as (replies, output):
            reply = next(replies)
            if reply.lines is not None:
                return TextPage(reply.width, reply.height, reply.lines)
            return _page(reply, output)

    def _ask(self, data: bytes, request: Request) -> tuple[Reply, bytes]:
        """The reply, and a small answer's bytes."""
        with self._asked(data, request) as (replies, output):
            reply = next(replies)
            return reply, _read(output, reply.size)

    @contextmanager
    def _asked(self, data: bytes, request: Request) -> Iterator[tuple[Iterator[Reply], int]]:
        """The replies, none of them a problem, and the descriptor of what is written, closed with the context."""
        if not data:
            raise Problem(EMPTY_FILE, "The file holds no bytes. Copy or scan it again.")
        if len(data) > self._limits.upload_bytes:
            raise Problem(FILE_TOO_LARGE, f"The limit is {self._limits.upload_bytes} bytes.")
        ours, theirs = socket.socketpair()
        source, output = new_memory("document"), self._output()
        try:
            with ours:
                with theirs:
                    _write(source, data)
                    self._send(request, [source, output, theirs.fileno()])
                # Ours is now the only copy of our end, and the child has the only one of theirs.
                yield self._received(ours), output
        finally:
            os.close(source)
            os.close(output)

    def _output(self) -> int:
        try:
            return self._laid_out.get_nowait()
        except queue.Empty:
            return new_memory("pixels")

    def _lay_out(self) -> None:
        """Have memory for an ordinary page at hand: it is the kernel's to clear, which takes as long as writing to it
        thrice, and nobody waits now.
        """
        if self._laid_out.empty():
            output = new_memory("pixels")
            os.posix_fallocate(output, 0, _ORDINARY_PAGE_BYTES)
            self._laid_out.put(output)

    def _received(self, channel: socket.socket) -> Iterator[Reply]:
        """One at least. Raises Problem: the reply's own, TOO_COSTLY, DECODER_CRASHED."""
        channel.settimeout(2 * self._limits.decode_s)
        answered = False
        try:
            with channel.makefile("rb") as lines:
                for line in lines:
                    answered = True
                    reply = Reply.model_validate_json(line)
                    if reply.problem:
                        raise Problem(KINDS.get(reply.problem, INTERNAL), reply.detail)
                    yield reply
        except TimeoutError:
            raise Problem(TOO_COSTLY, "It took too long to open. Save it again, simpler.") from None
        if not answered:
            log.warning("a document's decoder ended without an answer")
            raise Problem(DECODER_CRASHED, _SAVE_ANEW)

    def _send(self, request: Request, descriptors: list[int]) -> None:
        message = json.dumps(request.model_dump(mode="json")).encode()
        with self._lock:
            for attempt in (1, 2):
                requests = self._running()
                try:
                    socket.send_fds(requests, [message], descriptors)
                    return
                except OSError:
                    log.warning("the document process is gone, it is started again")
                    self._process = None
                    requests.close()
                    if attempt == 2:
                        raise

    def _running(self) -> socket.socket:
        if self._process is not None and self._process.poll() is None and self._requests is not None:
            return self._requests
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "runtime.documents", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        if self._requests is not None:
            self._requests.close()
        self._requests = ours
        return ours


def _page(reply: Reply, output: int) -> PixelPage:
    size_bytes = reply.width * reply.height * 3
    try:
        if os.fstat(output).st_size > size_bytes:  # it was laid out for a larger one
            os.truncate(output, size_bytes)
        pixels = Pixels(os.dup(output), size_bytes)
    except ValueError:
        raise Problem(DECODER_CRASHED, _SAVE_ANEW) from None
    return PixelPage(reply.width, reply.height, pixels)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(descriptor: int, size: int) -> bytes:
    if size == 0:
        return b""
    if os.fstat(descriptor).st_size < size:
        raise Problem(DECODER_CRASHED, _SAVE_ANEW)
    with mmap.mmap(descriptor, size, prot=mmap.PROT_READ) as view:
        return view[:]
