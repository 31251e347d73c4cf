"""The other end of sd_notify(3), where systemd is not: whether a child is up, and still alive."""

from __future__ import annotations

import socket


class SignsOfLife:
    """Of one child, over all its restarts. `environment` is for the child.

    `start_s`: in which it must say READY=1; from then on it must not be silent for `answer_s`.
    """

    def __init__(self, start_s: float, answer_s: float) -> None:
        self._start_s = start_s
        self._answer_s = answer_s
        self._ready = False
        self._last = 0.0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self._socket.bind("")  # the kernel chooses a name that is in no folder
        name: bytes = self._socket.getsockname()
        self.environment = {
            "NOTIFY_SOCKET": "@" + name[1:].decode("ascii"),
            "WATCHDOG_USEC": str(round(answer_s * 1_000_000)),
        }

    def begin(self, now: float) -> None:
        """The child is being started."""
        self._hear()  # what the last one said
        self._ready, self._last = False, now

    def overdue(self, now: float) -> bool:
        """Whether it should have said something by now."""
        for said in self._hear():
            if b"READY=1" in said:
                self._ready = True
            if self._ready:
                self._last = now
        return now - self._last > (self._answer_s if self._ready else self._start_s)

    def close(self) -> None:
        self._socket.close()

    def _hear(self) -> list[list[bytes]]:
        heard = []
        while True:
            try:
                heard.append(self._socket.recv(4096).split(b"\n"))
            except BlockingIOError:
                return heard
