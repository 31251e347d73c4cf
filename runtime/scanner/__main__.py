"""`python3 -m runtime.scanner`: the scanner service."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path

from runtime.scanner.driverless import PORTS, write_settings
from runtime.scanner.scanimage import Scanners
from runtime.scanner.server import Service
from runtime.sockets import listen_unix


async def serve(socket: Path, settings: list[Path], ports: range) -> None:
    """Until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="sane-") as own:
        write_settings(Path(own), {})
        service = Service(Scanners([Path(own), *settings], ports))
        listener = listen_unix(socket)
        group = socket.parent.stat().st_gid
        if socket.stat().st_gid != group:  # the station's folder gives it, and the unit may not change owners
            os.chown(socket, -1, group)
        server = await asyncio.start_unix_server(service.answer, sock=listener)
        async with server:
            await stop.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m runtime.scanner", description=__doc__)
    parser.add_argument("--config", type=Path, default=os.environ.get("INKSTICK_CONFIG"))
    parser.add_argument("--sane", type=Path, default=Path("/etc/sane.d"), help="SANE's configuration folder")
    parser.add_argument("--first-port", type=int, default=PORTS.start, help="where driverless scanners may answer")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="scanner: %(message)s", stream=sys.stderr)
    socket = json.loads((arguments.config or Path("/etc/inkstick/station.json")).read_text()).get("scanner_socket")
    if socket is None:
        print("scanner: the configuration has no scanner_socket: nothing to do", file=sys.stderr)
        return 0
    ports = range(arguments.first_port, arguments.first_port + len(PORTS))
    asyncio.run(serve(Path(socket), [arguments.sane], ports))
    return 0


if __name__ == "__main__":
    sys.exit(main())
