"""`python3 -m runtime.printer`: the printer service."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
from pathlib import Path

from runtime.printer.printers import PORTS, Printers
from runtime.printer.server import Service
from runtime.sockets import listen_unix

_SYSTEMD_FIRST = 3
"""sd_listen_fds(3): the first socket that systemd passes."""


async def serve(listener: socket.socket, cups: Path, ports: range) -> None:
    """Until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await asyncio.start_unix_server(Service(Printers(cups, ports)).answer, sock=listener)
    async with server:
        await stop.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m runtime.printer", description=__doc__)
    parser.add_argument("--config", type=Path, default=os.environ.get("INKSTICK_CONFIG"))
    parser.add_argument("--cups", type=Path, default=Path("/run/inkstick-cups/cups.sock"), help="CUPS's socket")
    parser.add_argument("--first-port", type=int, default=PORTS.start, help="where printers may answer")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="printer: %(message)s", stream=sys.stderr)
    if os.environ.get("LISTEN_PID") == str(os.getpid()):
        listener = socket.socket(fileno=_SYSTEMD_FIRST)
    else:
        place = json.loads((arguments.config or Path("/etc/inkstick/station.json")).read_text()).get("printer_socket")
        if place is None:
            print("printer: the configuration has no printer_socket: nothing to do", file=sys.stderr)
            return 0
        listener = listen_unix(Path(place))
    ports = range(arguments.first_port, arguments.first_port + len(PORTS))
    asyncio.run(serve(listener, arguments.cups, ports))
    return 0


if __name__ == "__main__":
    sys.exit(main())
