"""`python3 -m runtime.clock`: the privileged clock helper, on systemd's socket or, with --socket, on its own."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from runtime.clock.server import ClockServer
from runtime.clock.setting import Clocks


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m runtime.clock", description=__doc__)
    parser.add_argument("--socket", type=Path, default=None)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="clock: %(message)s", stream=sys.stderr)
    server = ClockServer(options.socket, Clocks())
    if options.socket is None:
        server.end_when_idle()
    try:
        server.serve_forever()
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
