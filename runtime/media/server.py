"""The helper's side of the socket: one thread a connection, one that looks for sticks each second."""

from __future__ import annotations

import contextlib
import logging
import os
import socketserver
import threading
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import cast

from runtime.media import vault_requests, vault_wire, wire
from runtime.media.backend import Sticks
from runtime.media.failures import NOT_AVAILABLE
from runtime.media.vault_backend import Vaults
from runtime.media.vault_wire import VaultReport
from runtime.media.wire import Document, SaveProgress, Snapshot, WireError
from runtime.problems import BAD_REQUEST, INTERNAL, Problem

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
_DRAIN_S = 5.0
_POWER = frozenset({"poweroff", "reboot"})


class MediaServer(socketserver.ThreadingUnixStreamServer):
    """Listens on `path` with mode 0660 and the group of the socket's folder.

    Raises OSError if it cannot. The caller runs `serve_forever` and, at the end, `server_close`.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, path: Path, sticks: Sticks, vaults: Vaults | None = None) -> None:
        path.unlink(missing_ok=True)
        before = os.umask(0o117)
        try:
            super().__init__(str(path), _Connection)
        finally:
            os.umask(before)
        os.chown(path, -1, path.parent.stat().st_gid)
        self.sticks = sticks
        self.vaults = vaults
        self.changed = threading.Condition()
        self.closing = threading.Event()
        self._path = path
        self._last: Snapshot | None = None
        self._last_report: VaultReport | None = None
        self._watcher = threading.Thread(target=self._look, name="look", daemon=True)
        self._watcher.start()

    def snapshot(self) -> Snapshot:
        return Snapshot(self.sticks.sticks(), self.sticks.can_power_off)

    def announce(self) -> None:
        """Wake everybody who watches if something is different now."""
        with self.changed:
            now = self.snapshot()
            report = self.report()
            if (now, report) != (self._last, self._last_report):
                self._last, self._last_report = now, report
                self.changed.notify_all()

    def report(self) -> VaultReport | None:
        return None if self.vaults is None else self.vaults.report()

    def _look(self) -> None:
        while not self.closing.is_set():
            try:
                self.sticks.refresh()
                if self.vaults is not None:
                    self.vaults.refresh()
                self.announce()
            except Exception:
                log.exception("looking for sticks failed")
            self.closing.wait(LOOK_EVERY_S)

    def server_close(self) -> None:
        self.closing.set()
        with self.changed:
            self.changed.notify_all()
        self._watcher.join()
        super().server_close()
        self._path.unlink(missing_ok=True)
        self.close_vaults()
        self.sticks.close()

    def close_vaults(self) -> None:
        if self.vaults is not None:
            self.vaults.close()


class _Connection(socketserver.StreamRequestHandler):
    wbufsize = 0

    def handle(self) -> None:
        try:
            self._answer()
        except WireError as error:
            self._problem(Problem(BAD_REQUEST, str(error)))
        except Problem as problem:
            self._problem(problem)
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever asked has gone
        except Exception:
            log.exception("a request failed")
            self._problem(Problem(INTERNAL, "Plug the stick in again."))

    @property
    def _media(self) -> MediaServer:
        return cast(MediaServer, self.server)

    def _send(self, event: str, message: object | None = None) -> None:
        self.wfile.write(wire.line("event", event, message))

    def _problem(self, problem: Problem) -> None:
        with contextlib.suppress(OSError):
            answer = {"code": problem.kind.code, "detail": problem.detail, "extra": problem.extra}
            self._send("problem", answer)
            # Closing with bytes unread would reset the connection, and the answer would be lost.
            self.connection.settimeout(_DRAIN_S)
            while self.rfile.read(65536):
                pass

    def _answer(self) -> None:
        operation, request = wire.parse(self.rfile.readline(wire.LINE_BYTES), "op")
        sticks = self._media.sticks
        match operation:
            case "watch":
                self._watch()
            case "list":
                self._send("files", sticks.files(wire.field(request, "stick")))
            case "read":
                limit = request.get("limit_bytes")
                if not isinstance(limit, int):
                    raise WireError("limit_bytes must be a number")
                content = sticks.read(wire.field(request, "stick"), wire.field(request, "path"), limit)
                self._send("data", {"size": len(content)})
                self.wfile.write(content)
            case "names":
                wished = wire.documents(request)
                self._send("names", {"names": sticks.names(wire.field(request, "stick"), wished)})
            case "save":
                documents = wire.documents(request)
                stick = wire.field(request, "stick")
                saved = sticks.save(stick, documents, _parts(documents, self.rfile), self._progress)
                self._media.announce()
                self._send("saved", saved)
            case "use":
                sticks.use(wire.field(request, "stick"))
                self._media.announce()
                self._send("ok")
            case "power":
                action = wire.field(request, "action")
                if action not in _POWER:
                    raise WireError("action must be poweroff or reboot")
                self._media.close_vaults()
                sticks.power(action)
                self._send("ok")
            case "vault-watch":
                self._watch_vaults()
            case _:
                try:
                    vault_requests.answer(operation, request, self._media.vaults, self.connection, self._send)
                finally:
                    self._media.announce()
                self._send("ok")

    def _progress(self, progress: SaveProgress) -> None:
        with contextlib.suppress(OSError):  # a save that has begun is finished even if nobody listens
            self._send("progress", progress)

    def _watch(self) -> None:
        seen: Snapshot | None = None
        while not self._media.closing.is_set():
            with self._media.changed:
                now = self._media.snapshot()
                if now == seen:
                    self._media.changed.wait()
                    now = self._media.snapshot()
            if now != seen:
                self._send("sticks", now)
                seen = now

    def _watch_vaults(self) -> None:
        seen: VaultReport | None = None
        if self._media.vaults is None:
            raise Problem(NOT_AVAILABLE, "There are no vaults here.")
        while not self._media.closing.is_set():
            with self._media.changed:
                now = self._media.report()
                if now == seen:
                    self._media.changed.wait()
                    now = self._media.report()
            if now is not None and now != seen:
                self._send("vault", vault_wire.dump(now))
                seen = now


def _parts(documents: tuple[Document, ...], stream: BufferedIOBase) -> Iterator[Iterator[bytes]]:
    for document in documents:
        for part in document.parts:
            yield _pieces(part.size_bytes, stream)


def _pieces(size_bytes: int, stream: BufferedIOBase) -> Iterator[bytes]:
    while size_bytes:
        piece = stream.read(min(size_bytes, wire.CHUNK_BYTES))
        if not piece:
            raise WireError("the connection closed before every byte was sent")
        size_bytes -= len(piece)
        yield piece
