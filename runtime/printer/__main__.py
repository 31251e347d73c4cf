"""`python3 -m runtime.printer`: the printer service."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import socket
import sys
from pathlib import Path

from runtime.media.answer import own_socket, serve
from runtime.printer.printers import PORTS, Printers
from runtime.printer.server import Service
from runtime.sockets import listen_unix

_SYSTEMD_FIRST = 3
"""sd_listen_fds(3): the first socket that systemd passes."""


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
        place = own_socket("printer", arguments.config)
        if place is None:
            return 0
        listener = listen_unix(place)
    ports = range(arguments.first_port, arguments.first_port + len(PORTS))
    asyncio.run(serve(listener, Service(Printers(arguments.cups, ports)).answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
