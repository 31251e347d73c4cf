"""Boot milestones: one line each, for whoever watches the serial console."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from runtime.config import StationConfig

log = logging.getLogger(__name__)

_UPTIME = Path("/proc/uptime")


class Milestones:
    """Writes `inkstick: NAME SECONDS` to the configuration's device or file, each name once."""

    def __init__(self, config: StationConfig) -> None:
        self._target = config.milestones
        self.reached_at: dict[str, float] = {}
        """Seconds since the kernel's start, by name."""

    def reached(self, name: str) -> None:
        """Report `name`, unless it was. Seconds count from the kernel's start. Never raises."""
        if name in self.reached_at:
            return
        seconds = self.reached_at[name] = seconds_since_start()
        # A serial console needs the carriage return; in a file it does no harm.
        line = f"inkstick: {name} {seconds:.1f}\r\n"
        try:
            if self._target == "-":
                sys.stderr.write(line)
                sys.stderr.flush()
            else:
                with open(self._target, "ab", buffering=0) as device:
                    device.write(line.encode())
        except OSError as error:
            log.warning("milestone %s not written: %s", name, error)


def seconds_since_start() -> float:
    """Seconds since the kernel started; where that is not told, since some fixed moment."""
    try:
        return float(_UPTIME.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return time.monotonic()


def kiosk_painted(milestones: Milestones, config: StationConfig) -> None:
    """The page has shown itself: report it, and make the flag that the engine's start waits for."""
    milestones.reached("kiosk-painted")
    if config.painted_flag is not None:
        try:
            config.painted_flag.parent.mkdir(parents=True, exist_ok=True)
            config.painted_flag.touch()
        except OSError as error:
            log.error("painted flag not made: %s", error)
