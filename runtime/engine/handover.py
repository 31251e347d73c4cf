"""How a page's pixels come to an engine: as shared memory, through a socket beside the one for its HTTP.

`SOCKET.pixels` takes datagrams: a token, and with it the descriptor of a memfd. `POST /read` then names the
token, which the engine finds waiting, since the datagram was sent first. A page of 4 MB costs a tenth of a
millisecond so, and ten as the body of a request.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections import OrderedDict
from pathlib import Path

from runtime.documents.pixels import Pixels
from runtime.sockets import bind_datagrams

log = logging.getLogger(__name__)

_TOKEN_BYTES = 16
_MOST_WAITING = 64
"""Pages whose requests have not come; the oldest are let go. Far more than are ever in hand."""


def beside(engine: Path) -> Path:
    """The socket for pixels of the engine whose HTTP is at `engine`."""
    return engine.with_name(f"{engine.name}.pixels")


def hand_over(pixels: Pixels, engine: Path) -> str:
    """Send the memory to the engine whose socket `engine` is; the token that its request has to name.

    Raises OSError if nobody takes it.
    """
    token = secrets.token_hex(_TOKEN_BYTES // 2)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)  # a full queue is an engine that hangs, and this is an event loop
        sender.connect(str(beside(engine)))
        socket.send_fds(sender, [token.encode()], [pixels.descriptor])
    return token


class Handover:
    """The engine's end. `take` is called in its event loop alone."""

    def __init__(self, engine: Path) -> None:
        self._path = beside(engine)
        self._socket = bind_datagrams(self._path)
        self._socket.setblocking(False)
        self._waiting: OrderedDict[str, int] = OrderedDict()

    def close(self) -> None:
        """Nothing is taken any more."""
        self._socket.close()
        self._path.unlink(missing_ok=True)
        while self._waiting:
            os.close(self._waiting.popitem()[1])

    def take(self, token: str, size_bytes: int) -> Pixels:
        """The memory that came with `token`. Raises KeyError if none did, ValueError if it is too short,
        OSError if it is no memory that can be sealed.
        """
        self._receive()
        return Pixels(self._waiting.pop(token), size_bytes)

    def _receive(self) -> None:
        while True:
            try:
                token, descriptors, _, _ = socket.recv_fds(self._socket, _TOKEN_BYTES, 1)
            except BlockingIOError:
                return
            if len(descriptors) != 1:
                log.warning("a page came without its pixels")
                continue
            self._waiting[token.decode("ascii", "replace")] = descriptors[0]
            if len(self._waiting) > _MOST_WAITING:
                os.close(self._waiting.popitem(last=False)[1])
