"""The station's time zone: what its own clock face shows. Logs and tokens count in UTC whatever it is."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from runtime.problems import BAD_REQUEST, Problem

COMMON = (
    "Asia/Shanghai",
    "Asia/Urumqi",
    "Asia/Hong_Kong",
    "Asia/Taipei",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Moscow",
    "America/New_York",
    "America/Los_Angeles",
    "UTC",
)
"""What the page offers; any other that tzdata knows can be asked for."""


class Zone:
    """`kept`: where a choice outlives this process; `given`: the zone before anybody chose one, "" for the
    machine's own. Raises Problem BAD_REQUEST if nobody knows that one."""

    def __init__(self, kept: Path | None, given: str = "") -> None:
        self._kept = kept
        self.name = ""
        self._take(given)
        if kept is not None:
            with suppress(OSError, Problem):
                self._take(kept.read_text().strip())

    def choose(self, name: str) -> None:
        """Raises Problem BAD_REQUEST for a zone that nobody knows."""
        self._take(name)
        if self._kept is not None:
            self._kept.write_text(name)

    def _take(self, name: str) -> None:
        if name and name not in available_timezones():
            raise Problem(BAD_REQUEST, "There is no such time zone.")
        self.name = name
        if name:
            os.environ["TZ"] = name
            time.tzset()

    def shown(self, at: float) -> str:
        """`at` on the clock face, as ISO 8601 with its distance from UTC."""
        when = datetime.fromtimestamp(at, ZoneInfo(self.name) if self.name else None).astimezone(
            ZoneInfo(self.name) if self.name else None
        )
        return when.isoformat(timespec="seconds")

    def instant(self, wall: str) -> float:
        """Seconds since 1970 of a clock face, "2026-11-22T15:04:05". Raises Problem BAD_REQUEST."""
        try:
            when = datetime.fromisoformat(wall)
        except ValueError:
            raise Problem(BAD_REQUEST, "This is no date and time.") from None
        if when.tzinfo is not None:
            raise Problem(BAD_REQUEST, "The zone is chosen by itself.")
        return (when.replace(tzinfo=ZoneInfo(self.name)) if self.name else when.astimezone()).timestamp()


def zone_here() -> str | None:
    """The zone that was given or chosen: this process lives in it, other programs in the machine's. None where it
    was neither."""
    name = os.environ.get("TZ", "")
    return name if name in available_timezones() else None
