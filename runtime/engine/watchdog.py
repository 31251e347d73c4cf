"""Ends an engine that hangs or grows without bound: whoever supervises it starts it again.

A thread of its own, since the work may hang in any other. What stops this thread too (a library that
never gives the interpreter's lock back, a stopped process) is found from outside: the signs of life that
systemd's watchdog waits for come from here.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable

from runtime.engine.memory import resident_bytes
from runtime.engine.pulse import Pulse
from runtime.service_notify import notify

log = logging.getLogger(__name__)

EXIT_CODE = 70
_TICK_S = 0.5


def start(pulse: Pulse, memory_bytes: int, *, resident: Callable[[], int] = resident_bytes) -> None:
    """Watch this process until it ends."""

    def watch() -> None:
        over = threading.Event()
        while not over.wait(_TICK_S):
            if pulse.hangs():
                _end(f"the work in hand has not come on for {pulse.silent_s():.0f} s")
            if (size := resident()) > memory_bytes:
                _end(f"it has {size >> 20} MiB of memory and may have {memory_bytes >> 20}")
            notify("WATCHDOG=1")

    threading.Thread(target=watch, name="watchdog", daemon=True).start()


def _end(reason: str) -> None:
    """At once: a thread that hangs cannot be ended in order."""
    log.critical("ending this engine: %s", reason)
    faulthandler.dump_traceback(sys.stderr, all_threads=True)
    os._exit(EXIT_CODE)
