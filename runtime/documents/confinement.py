"""What a process gives up before it opens a stranger's file: memory, time, files, the network.

Landlock (Linux 5.13 and later) closes the file system but for fonts, which PDFium reads for texts
that embed none; kernels without it are held by the resource limits alone.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
from pathlib import Path

from runtime.config import Limits

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System call numbers; the same on every architecture (include/uapi/asm-generic/unistd.h)."""
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_ALL_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1}
_ALL_FILE_RIGHTS_SINCE_3 = (1 << 15) - 1
_ALL_NETWORK_RIGHTS = 0b11
_NETWORK_SINCE = 4
_FONTS = Path("/usr/share/fonts")
_BYTES_PER_PIXEL = 3


def confine(limits: Limits) -> bool:
    """Give it all up, for this process and for ever. True if the file system is closed as well."""
    memory = limits.decode_memory_bytes
    output = limits.page_pixels * _BYTES_PER_PIXEL + (1 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.decode_s, limits.decode_s + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output, output))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return _close_file_system()


def _close_file_system() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    if version < 1:
        return False
    rights = _ALL_FILE_RIGHTS.get(version, _ALL_FILE_RIGHTS_SINCE_3)
    words = [rights, _ALL_NETWORK_RIGHTS] if version >= _NETWORK_SINCE else [rights]
    attributes = struct.pack(f"={len(words)}Q", *words)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        if _FONTS.is_dir():
            folder = os.open(_FONTS, os.O_PATH | os.O_CLOEXEC)
            libc.syscall(
                _ADD_RULE, ruleset, _RULE_PATH_BENEATH, struct.pack("=Qi", _READ_FILE | _READ_FOLDER, folder), 0
            )
            os.close(folder)
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            return False
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)
