"""`python3 -m runtime.media`: the privileged stick helper."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from runtime.media.backend import Sticks
from runtime.media.block_devices import BlockDevices
from runtime.media.device_vaults import DeviceVaults
from runtime.media.folder_sticks import FolderSticks
from runtime.media.folder_vaults import FolderVaults
from runtime.media.server import MediaServer
from runtime.media.vault_backend import Vaults
from runtime.media.vault_disks import SysfsDisks


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m runtime.media", description=__doc__)
    parser.add_argument("--config", type=Path, default=os.environ.get("INKSTICK_CONFIG"))
    parser.add_argument("--folders", type=Path, help="let each folder in this one act as a USB stick")
    parser.add_argument(
        "--practice-vaults", action="store_true", help="let those folders hold vaults; nothing in them is encrypted"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="media: %(message)s", stream=sys.stderr)
    socket = _socket(options.config or Path("/etc/inkstick/station.json"))
    if socket is None:
        print("media: the configuration has no media_socket: nothing to do", file=sys.stderr)
        return 0
    sticks: Sticks
    vaults: Vaults | None = None
    if options.folders:
        sticks = FolderSticks(options.folders)
        vaults = FolderVaults(options.folders) if options.practice_vaults else None
    else:
        sticks = devices = BlockDevices()
        vaults = DeviceVaults(SysfsDisks(devices.labels_on), devices.let_go_of)
    server = MediaServer(socket, sticks, vaults)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    try:
        server.serve_forever()
    finally:
        server.server_close()
    return 0


def _socket(config: Path) -> Path | None:
    """The one field this program needs, read without pydantic: its import alone delays the first page.

    The gateway validates the whole file.
    """
    path = json.loads(config.read_text()).get("media_socket")
    return None if path is None else Path(path)


if __name__ == "__main__":
    sys.exit(main())
