"""What a test mounts, nobody else sees, and it is gone with the test."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runtime.media import mounting

_CLONE_NEWNS = 0x00020000


@contextmanager
def own_mounts() -> Iterator[None]:
    """A mount namespace for this thread and the programs that it starts. Needs root."""
    here = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        os.close(here)
        pytest.fail("no mount namespace may be made here: integration tests run as root")
    try:
        mounting.run("mount", "--make-rprivate", "/")
        yield
    finally:
        libc.setns(here, _CLONE_NEWNS)
        os.close(here)
