"""The helper's side of the clock's socket: one connection, one line of JSON there, one back.

`{"op": "ask"}` answers `{"at": S, "board": B}`, `{"op": "set", "at": S}` answers `{"at": S, "board": B}` with
whether the board's clock was set too, or `{"refused": WHY}`. The lines are those of runtime/media/wire.py.
"""

from __future__ import annotations

import logging
import os
import socket
import socketserver
import threading
import time
from pathlib import Path
from typing import Any, Protocol, cast

from runtime.clock.setting import ClockRefused
from runtime.media import wire
from runtime.media.wire import WireError

log = logging.getLogger(__name__)

_LINE_BYTES = 4096
_IDLE_S = 60.0
_SYSTEMD_FIRST = 3
"""sd_listen_fds(3): the first socket that systemd passes."""


class CanSet(Protocol):
    """What Clocks does."""

    @property
    def has_board_clock(self) -> bool: ...

    def set(self, at: float) -> bool: ...


class ClockServer(socketserver.UnixStreamServer):
    """Answers one after the other. `path` is made with mode 0660; None: the socket that systemd listens on."""

    def __init__(self, path: Path | None, clocks: CanSet) -> None:
        self.clocks = clocks
        self.path = path
        self.last = time.monotonic()
        if path is None:
            super().__init__("", _Connection, bind_and_activate=False)
            self.socket.close()
            self.socket = socket.socket(fileno=_SYSTEMD_FIRST)
            return
        path.unlink(missing_ok=True)
        before = os.umask(0o117)
        try:
            super().__init__(str(path), _Connection)
        finally:
            os.umask(before)

    def end_when_idle(self) -> None:
        """Nobody sets a clock twice a day: systemd starts this again when it is asked."""

        def watch() -> None:
            while time.monotonic() - self.last < _IDLE_S:
                time.sleep(1)
            self.shutdown()

        threading.Thread(target=watch, daemon=True).start()

    def server_close(self) -> None:
        super().server_close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


class _Connection(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        server = cast(ClockServer, self.server)
        server.last = time.monotonic()
        try:
            operation, message = wire.parse(self.rfile.readline(_LINE_BYTES), "op")
            answer = self._answer(server.clocks, operation, message)
        except (WireError, ClockRefused) as refused:
            log.warning("refused: %s", refused)
            answer = {"refused": str(refused)}
        except OSError:
            return
        self.wfile.write(wire.line("event", "clock", answer))

    @staticmethod
    def _answer(clocks: CanSet, operation: str, message: dict[str, Any]) -> dict[str, Any]:
        if operation == "ask":
            return {"at": time.time(), "board": clocks.has_board_clock}
        if operation != "set":
            raise WireError("there is no such operation")
        at = message.get("at")
        if not isinstance(at, int | float) or isinstance(at, bool):
            raise WireError("at must be a number")
        board = clocks.set(float(at))
        log.warning("the clock was set, the board's %s", "too" if board else "not")
        return {"at": time.time(), "board": board}
