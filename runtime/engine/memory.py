"""How much memory this process has, and how much it may have."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from runtime.config import Supervision

_CGROUPS = Path("/sys/fs/cgroup")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_SHARE = 0.8
"""Of the machine's memory, where no control group says what an engine may have."""
_ENDED_AT = 0.9
_RECYCLED_AT = 0.6


def resident_bytes() -> int:
    """Of this process, without what is shared with files, such as mapped weights."""
    _, resident, shared, *_ = Path("/proc/self/statm").read_text().split()
    return (int(resident) - int(shared)) * _PAGE_BYTES


def give_back() -> None:
    """Return what the C library holds free to the system; without it, memory in use cannot be told from that."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def usable_bytes() -> int:
    """What the process's control groups leave it of the machine's memory, or else most of that."""
    found = int(os.sysconf("SC_PHYS_PAGES") * _PAGE_BYTES * _SHARE)
    try:
        own = Path("/proc/self/cgroup").read_text().rpartition("0::")[2].strip()
    except OSError:
        return found
    group = _CGROUPS / own.lstrip("/")
    while group != _CGROUPS and _CGROUPS in group.parents:
        try:
            limit = (group / "memory.max").read_text().strip()
        except OSError:
            limit = "max"
        if limit.isdigit():
            found = min(found, int(limit))
        group = group.parent
    return found


def limits(supervision: Supervision) -> tuple[int, int]:
    """Bytes over which the engine ends at once, and over which it is started anew between pages."""
    usable = usable_bytes()
    most = supervision.memory_bytes or int(usable * _ENDED_AT)
    return most, min(most, supervision.recycle_bytes or int(usable * _RECYCLED_AT))
