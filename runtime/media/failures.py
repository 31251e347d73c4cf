"""What a failed call on a stick means to the person who plugged it in."""

from __future__ import annotations

import errno

from runtime.problems import (
    STICK_FULL,
    STICK_GONE,
    STICK_READ_ONLY,
    STICK_UNREADABLE,
    Problem,
    ProblemKind,
)

NOT_AVAILABLE = ProblemKind("not-available", 409, "This station does not offer that", "本机不提供此功能")
HELPER_DOWN = ProblemKind("sticks-unavailable", 503, "USB sticks are not available now", "U 盘服务暂不可用")

GONE = "Plug it in again, or plug in another stick."


def as_problem(error: OSError, *, present: bool) -> Problem:
    """The Problem for an error of the operating system; `present`: the stick is still plugged in."""
    if not present or error.errno in (errno.ENODEV, errno.ENXIO, errno.ENOMEDIUM):
        return Problem(STICK_GONE, GONE)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Problem(STICK_FULL, "Nothing was saved on it. Use another stick, or make room on this one.")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return Problem(STICK_READ_ONLY, "Switch its write protection off, or use another stick.")
    return Problem(STICK_UNREADABLE, f"The stick reported an error ({error.strerror}). Try it on another computer.")
