"""Children that do not outlive their parent, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> Callable[[], None]:
    """What a child does before its program: ask the kernel to kill it when its parent is gone.

    For `preexec_fn`. The kernel looks at the thread that starts the child, not at the process: start
    it from one that lives as long. The library is loaded here, before the fork: after it, next to
    nothing is safe to call.
    """
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()
    return lambda: _bind(prctl, parent)


def end_with_parent(parent: int) -> None:
    """The same for this process, which `parent` has started."""
    _bind(ctypes.CDLL(None, use_errno=True).prctl, parent)


def _bind(prctl: Callable[[int, int], int], parent: int) -> None:
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)
