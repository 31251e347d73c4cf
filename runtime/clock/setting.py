"""Sets the clocks. The standard library alone: this runs with the right to set the time and none else.

Sources: clock_settime(2); rtc(4) for RTC_SET_TIME, whose argument is struct rtc_time, nine ints.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from pathlib import Path

EARLIEST = 1_735_689_600
"""2025-01-01: no station is older."""
LATEST = 4_102_444_800
"""2100-01-01."""
_RTC = Path("/dev/rtc0")
_RTC_SET_TIME = 0x4024700A


class ClockRefused(Exception):
    """The kernel does not let this program set it, or it was asked for a time that cannot be."""


class Clocks:
    """The kernel's and the board's."""

    def __init__(self, rtc: Path = _RTC) -> None:
        self._rtc = rtc

    @property
    def has_board_clock(self) -> bool:
        return self._rtc.exists()

    def set(self, at: float) -> bool:
        """Set the kernel's clock to `at`, seconds since 1970, then the board's, in UTC; whether that took it.

        Raises ClockRefused.
        """
        if not EARLIEST <= at <= LATEST:
            raise ClockRefused("that time cannot be")
        try:
            time.clock_settime(time.CLOCK_REALTIME, at)
        except OSError as error:
            raise ClockRefused(f"the kernel refuses: {error.strerror}") from error
        return self._set_board(at)

    def _set_board(self, at: float) -> bool:
        try:
            descriptor = os.open(self._rtc, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.ioctl(descriptor, _RTC_SET_TIME, rtc_time(at))
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True


def rtc_time(at: float) -> bytes:
    """struct rtc_time of `at` in UTC: seconds, minutes, hours, day, month from 0, years since 1900; the
    kernel does not look at the other three."""
    utc = time.gmtime(at)
    return struct.pack(
        "9i", utc.tm_sec, utc.tm_min, utc.tm_hour, utc.tm_mday, utc.tm_mon - 1, utc.tm_year - 1900, 0, 0, 0
    )
