"""Documents opened in short-lived processes that have no files, little memory and little time.

One process stands by, libraries loaded, and forks ahead of a request: a fork costs milliseconds, a
new interpreter a good part of a second. Files and pixels go through memory descriptors. The next fork waits
until nobody waits for a page: with a core or two it would take its time from the engine.
"""

from __future__ import annotations

import asyncio
import logging
import mmap
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from runtime.config import Limits
from runtime.documents.decode import PixelPage
from runtime.documents.parts import Corners, Cut, Description, PrintedLine, Region, Reply, Request
from runtime.documents.pictures import Kind
from runtime.documents.pixels import Pixels, new_memory
from runtime.documents.refusals import DECODER_CRASHED, KINDS, TOO_COSTLY
from runtime.documents.standby import Standby
from runtime.problems import EMPTY_FILE, FILE_TOO_LARGE, INTERNAL, Problem

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

Opening = asyncio.Task[PixelPage | None]
"""A page that is being opened; None if its decoder ended before that."""
_PHOTOGRAPHS = ("look", "cut_out")
_QUIET_S = 0.05
"""After the last document, before the next one is prepared for: answers go out first."""
_SMALL_BYTES = 1 << 20
_READ_BYTES = 1 << 16
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
    """`cage.describe(data)`, `cage.render(data, page)`; close it in the end. Starts its process when first used.

    `busy`: whether somebody waits for a page that was opened, so that nothing should be done ahead now;
    `rest_soon` is then to be called when nobody does any more.
    """

    def __init__(self, limits: Limits, busy: Callable[[], bool] = lambda: False) -> None:
        self._limits = limits
        self._busy = busy
        self.standby = Standby(limits)
        self._in_hand = 0
        self._resting: asyncio.TimerHandle | None = None

    async def describe(self, data: bytes, password: str = "") -> Description:
        """What pages it has. Raises Problem: any of `refusals.KINDS`."""
        reply, _ = await self._aside(self._ask, data, Request(what="describe", limits=self._limits, password=password))
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
        return await self._aside(self._render, data, request)

    async def open(self, data: bytes, region: Region | None = None) -> tuple[Description, Opening | None]:
        """What pages it has; and of an image with one page alone that page, which is under way by then.

        Raises Problem as `describe` does; awaiting the page raises what `render` does.
        """
        described: asyncio.Future[Description] = asyncio.get_running_loop().create_future()
        request = Request(what="open", limits=self._limits, region=region)
        opening = asyncio.create_task(self._opened(data, request, described))
        opening.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may come for it
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
        _, jpeg = await self._aside(self._ask, data, request)
        return jpeg

    async def look(self, frame: bytes) -> Corners | None:
        """Where a sheet lies in a camera's frame. Raises Problem as `render` does."""
        reply, _ = await self._aside(self._ask, frame, Request(what="look", limits=self._limits))
        return reply.corners

    async def cut_out(self, photograph: bytes, cut: Cut, clockwise: int = 0) -> CutOut:
        """The sheet in a photograph as a page. Raises Problem as `render` does."""
        request = Request(what="cut_out", limits=self._limits, cut=cut, clockwise=clockwise)
        reply, jpeg = await self._aside(self._ask, photograph, request)
        return CutOut(jpeg, reply.corners, reply.sharp)

    async def _opened(self, data: bytes, request: Request, described: asyncio.Future[Description]) -> PixelPage | None:
        """See `open`. A small file goes to a decoder that stands by without a thread: to wake one takes longer."""
        with self._rested_after():
            at_once = self.standby.has_spare and len(data) <= _SMALL_BYTES
            sent = self._sent(data, request) if at_once else await asyncio.to_thread(self._sent, data, request)
            with _closed(*sent, self.standby) as (channel, output):
                channel.setblocking(False)
                rest = bytearray()
                try:
                    async with asyncio.timeout(2 * self._limits.decode_s):
                        description = _reply(await _line(channel, rest)).description
                        assert description is not None
                        if not described.done():
                            described.set_result(description)
                        line = await _line(channel, rest)
                except TimeoutError:
                    raise _too_long() from None
                return _page(_reply(line), output) if line else None

    def rest_soon(self) -> None:
        """Prepare for the next document in a moment, unless another has come, or somebody waits, by then."""
        if self._resting is not None:
            self._resting.cancel()
        self._resting = asyncio.get_running_loop().call_later(_QUIET_S, self._rest)

    def _rest(self) -> None:
        if not self._in_hand and not self._busy():
            asyncio.get_running_loop().run_in_executor(None, self.standby.make_ready)

    def close(self) -> None:
        """End the process that stands by."""
        self.standby.close()

    async def _aside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """In a thread."""
        with self._rested_after():
            return await asyncio.to_thread(work, *args, **kwargs)

    @contextmanager
    def _rested_after(self) -> Iterator[None]:
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1
            self.rest_soon()

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
        with _closed(*self._sent(data, request), self.standby) as (channel, output):
            yield self._received(channel), output

    def _sent(self, data: bytes, request: Request) -> tuple[socket.socket, int]:
        """The socket that a decoder answers through, and the descriptor that it writes to."""
        if not data:
            raise Problem(EMPTY_FILE, "The file holds no bytes. Copy or scan it again.")
        if len(data) > self._limits.upload_bytes:
            raise Problem(FILE_TOO_LARGE, f"The limit is {self._limits.upload_bytes} bytes.")
        source, output = new_memory("document"), self.standby.output()
        try:
            _write(source, data)
            message = request.model_dump_json().encode() + b"\n"
            return self.standby.send(message, [source, output], photograph=request.what in _PHOTOGRAPHS), output
        except BaseException:
            os.close(output)
            raise
        finally:
            os.close(source)

    def _received(self, channel: socket.socket) -> Iterator[Reply]:
        """One at least. Raises Problem: the reply's own, TOO_COSTLY, DECODER_CRASHED."""
        channel.settimeout(2 * self._limits.decode_s)
        answered = False
        try:
            with channel.makefile("rb") as lines:
                for line in lines:
                    answered = True
                    yield _reply(line)
        except ConnectionError:  # it ended with the request unread
            pass
        except TimeoutError:
            raise _too_long() from None
        if not answered:
            _reply(b"")


@contextmanager
def _closed(channel: socket.socket, output: int, standby: Standby) -> Iterator[tuple[socket.socket, int]]:
    """Both in the end; the channel of a decoder that did its work when `standby` finds the time."""
    try:
        yield channel, output
    except BaseException:
        channel.close()
        raise
    else:
        standby.part_later(channel)
    finally:
        os.close(output)


async def _line(channel: socket.socket, rest: bytearray) -> bytes:
    """The next line that a decoder answers; empty when there is none. `rest`: what came after the one before."""
    loop = asyncio.get_running_loop()
    while (end := rest.find(b"\n")) < 0:
        try:
            more = await loop.sock_recv(channel, _READ_BYTES)
        except ConnectionError:  # it ended with the request unread
            return b""
        if not more:
            return b""
        rest += more
    line = bytes(rest[:end])
    del rest[: end + 1]
    return line


def _reply(line: bytes) -> Reply:
    """Raises Problem: the reply's own, or DECODER_CRASHED where there is none."""
    if not line:
        log.warning("a document's decoder ended without an answer")
        raise Problem(DECODER_CRASHED, _SAVE_ANEW)
    reply = Reply.model_validate_json(line)
    if reply.problem:
        raise Problem(KINDS.get(reply.problem, INTERNAL), reply.detail)
    return reply


def _too_long() -> Problem:
    return Problem(TOO_COSTLY, "It took too long to open. Save it again, simpler.")


def _page(reply: Reply, output: int) -> PixelPage:
    size_bytes = reply.width * reply.height * 3
    try:
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
