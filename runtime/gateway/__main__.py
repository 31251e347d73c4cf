"""`python3 -m runtime.gateway --config PATH`: the REST interface and the kiosk's pages, in one process."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from runtime import config, logs
from runtime.accuracy.keeping import forget_texts, keep_reviews, open_records
from runtime.admin.desk import Desk
from runtime.admin.log_book import LogBook
from runtime.admin.routes import add_admin
from runtime.gateway.app import build_api
from runtime.gateway.milestones import Milestones, kiosk_painted
from runtime.gateway.reader import Reader
from runtime.keys.first import FirstKeys
from runtime.kiosk.app import build_ui
from runtime.kiosk.start import Start
from runtime.service_notify import notify
from runtime.sockets import listen_tcp
from runtime.vault.keeping import kept_of

log = logging.getLogger(__name__)

_GRACE_S = 5
"""Open event streams would hold a stopping server for ever."""


class _Server(uvicorn.Server):
    """uvicorn takes the process's signals for itself; with two in one process the loop hands them out."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(station: config.StationConfig, book: LogBook) -> None:
    """Serve until SIGTERM or SIGINT. `book`: this process's own log. Raises OSError if a port is taken."""
    milestones = Milestones(station)
    async with Reader(station, milestones) as reader:
        # Listening comes first: whoever sees READY=1, or either port, can connect to both.
        listeners = [
            listen_tcp(station.api.host, station.api.port),
            listen_tcp(station.ui.host, station.ui.port),
        ]
        records = await asyncio.to_thread(open_records, station)
        first_keys = FirstKeys(station.auth)
        rest = build_api(station, reader, records, expects_pages=lambda: pages.state.session.expects_pages)
        pages = build_ui(
            station,
            reader,
            on_painted=lambda: kiosk_painted(milestones, station),
            on_saved=keep_reviews(records, station),
            on_forgotten=forget_texts(records),
            first_keys=first_keys.show,
            kept=kept_of(station, records, rest.state.watch.book, first_keys),
        )
        desk = Desk(station, reader, pages.state.session, rest.state, book, first_keys=first_keys.show)
        pages.state.start = Start(station, reader, milestones, rest.state.selftest, rest.state.watch)
        add_admin(pages, desk, pages.state.templates)
        servers = [_server(rest), _server(pages)]

        def stop() -> None:
            for server in servers:
                server.should_exit = True

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        announcing = asyncio.create_task(_announce(servers, milestones, station))
        try:
            async with desk.running(), asyncio.TaskGroup() as group:
                for server, listener in zip(servers, listeners, strict=True):
                    group.create_task(_serve(server, listener))
        finally:
            announcing.cancel()
            notify("STOPPING=1")
            records.close()


async def _serve(server: _Server, listener: socket.socket) -> None:
    await server.serve(sockets=[listener])
    if not server.started:
        raise RuntimeError("a server did not start; the reason is above")


async def _announce(servers: list[_Server], milestones: Milestones, station: config.StationConfig) -> None:
    while not all(server.started for server in servers):
        await asyncio.sleep(0.02)
    notify("READY=1")
    milestones.reached("gateway-ready")
    log.info("pages on port %d, REST on port %d", station.ui.port, station.api.port)


def _server(app: FastAPI) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="runtime.gateway", description=__doc__)
    parser.add_argument("--config", type=Path, default=None)
    arguments = parser.parse_args()
    station = config.load(arguments.config)
    logs.configure(station.logs)
    book = LogBook()
    logging.getLogger().addHandler(book)
    try:
        asyncio.run(serve(station, book))
    except (OSError, ValueError) as error:
        log.error("the gateway cannot start: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
