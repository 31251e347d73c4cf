"""Where the numbers begin by which a page knows whether it has the latest list."""

from __future__ import annotations

import time


def first_revision() -> int:
    """Milliseconds since the machine was started: more than any earlier process has counted to, so that no page that
    stays open takes a list of this one for one that it has."""
    return int(time.monotonic() * 1000)
