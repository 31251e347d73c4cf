"""`python3 -m runtime.scanner`: the scanner service."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from pathlib import Path

from runtime.media.answer import own_socket, serve
from runtime.scanner.driverless import PORTS, write_settings
from runtime.scanner.scanimage import Scanners
from runtime.scanner.server import Service
from runtime.sockets import listen_unix


async def scan_for(socket: Path, settings: list[Path], ports: range) -> None:
    """Until SIGTERM or SIGINT."""
    with tempfile.TemporaryDirectory(prefix="sane-") as own:
        write_settings(Path(own), {})
        listener = listen_unix(socket)
        group = socket.parent.stat().st_gid
        if socket.stat().st_gid != group:  # the station's folder gives it, and the unit may not change owners
            os.chown(socket, -1, group)
        await serve(listener, Service(Scanners([Path(own), *settings], ports)).answer)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m runtime.scanner", description=__doc__)
    parser.add_argument("--config", type=Path, default=os.environ.get("INKSTICK_CONFIG"))
    parser.add_argument("--sane", type=Path, default=Path("/etc/sane.d"), help="SANE's configuration folder")
    parser.add_argument("--first-port", type=int, default=PORTS.start, help="where driverless scanners may answer")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="scanner: %(message)s", stream=sys.stderr)
    socket = own_socket("scanner", arguments.config)
    if socket is None:
        return 0
    ports = range(arguments.first_port, arguments.first_port + len(PORTS))
    asyncio.run(scan_for(socket, [arguments.sane], ports))
    return 0


if __name__ == "__main__":
    sys.exit(main())
