"""What stands by for the next document: a decoder that is confined already, and memory for its pixels.

`runtime.documents.__main__` forks decoders, each with one end of a socket; this is the gateway's side,
which keeps the other end. A request goes to the decoder itself, past the process that forked it. It may be
sent before there is one: it waits in the socket.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import socket
import subprocess
import sys
import threading

from runtime.config import Limits
from runtime.documents.pixels import new_memory

log = logging.getLogger(__name__)

_ORDINARY_PAGE_BYTES = 3 * 1600 * 1600


class Standby:
    """Starts its process when first used; close it in the end. May be used from any thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        """That forks."""
        self._wanted: socket.socket | None = None
        self._spare: socket.socket | None = None
        self._with_photographs = False
        """Whether the decoders forked by now have OpenCV."""
        self._laid_out: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._answered: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
        """Of decoders that have done their work, and end once these are closed."""

    def send(self, message: bytes, descriptors: list[int], *, photograph: bool) -> socket.socket:
        """Give a decoder what it is to do; the socket that it answers through, alone holding its other end.

        `photograph`: it needs OpenCV. Raises OSError if none can be started.
        """
        self._part()
        while True:
            channel, is_new = self._taken(photograph)
            try:
                socket.send_fds(channel, [message], descriptors)
                return channel
            except OSError:  # it was killed while it waited
                channel.close()
                if is_new:
                    raise

    @property
    def has_spare(self) -> bool:
        """Whether a decoder stands by, so that `send` does not block."""
        return self._spare is not None

    def part_later(self, channel: socket.socket) -> None:
        """Let the decoder at the other end go when nobody waits: the kernel takes milliseconds of a core to take
        a process down, just when the engine begins with the page. With the next document at the latest.
        """
        self._answered.put(channel)

    def _part(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._answered.get_nowait().close()

    def make_ready(self) -> None:
        """Have a decoder and memory at hand. Both take milliseconds of processor time: call it when nobody waits.

        Memory is the kernel's to clear, which takes as long as writing to it thrice.
        """
        self._part()
        with self._lock:
            if self._spare is None:
                with contextlib.suppress(OSError):  # whoever sends something will be told
                    self._spare = self._forked(self._with_photographs)
        if self._laid_out.empty():
            output = new_memory("pixels")
            os.posix_fallocate(output, 0, _ORDINARY_PAGE_BYTES)
            self._laid_out.put(output)

    def output(self) -> int:
        """A descriptor of memory for pixels, the caller's to close."""
        try:
            return self._laid_out.get_nowait()
        except queue.Empty:
            return new_memory("pixels")

    def close(self) -> None:
        with self._lock:
            process, self.process = self.process, None
            for each in (self._wanted, self._spare):
                if each is not None:
                    each.close()
            self._wanted = self._spare = None
        self._part()
        while not self._laid_out.empty():
            os.close(self._laid_out.get())
        if process is not None:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _taken(self, photograph: bool) -> tuple[socket.socket, bool]:
        """A decoder's socket, and whether it was asked for just now."""
        with self._lock:
            if self._spare is not None and (self._with_photographs or not photograph):
                spare, self._spare = self._spare, None
                return spare, False
            return self._forked(self._with_photographs or photograph), True

    def _forked(self, photographs: bool) -> socket.socket:
        message = json.dumps({"limits": self._limits.model_dump(mode="json"), "photographs": photographs}).encode()
        ours, theirs = socket.socketpair()
        with theirs:
            for attempt in (1, 2):
                wanted = self._running()
                try:
                    socket.send_fds(wanted, [message], [theirs.fileno()])
                    break
                except OSError:
                    log.warning("the document process is gone, it is started again")
                    self.process = None
                    if attempt == 2:
                        ours.close()
                        raise
        self._with_photographs = photographs
        return ours

    def _running(self) -> socket.socket:
        if self.process is not None and self.process.poll() is None and self._wanted is not None:
            return self._wanted
        if self._wanted is not None:
            self._wanted.close()
        self._wanted, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "runtime.documents", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        return self._wanted
