"""The one family of errors: each knows its cause, its remedy and its exit code.

The terminal shows `message` and `hint`; anything else that reaches the terminal is a bug.
"""

from __future__ import annotations

from pathlib import Path


class InkstickError(Exception):
    """An error with a remedy. `log` is the file that holds the whole output, where there is one."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", log: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.log = log


class ProfileError(InkstickError):
    """The profile, or something it names, does not fit."""

    exit_code = 3


class HostError(InkstickError):
    """This machine lacks something: a tool, disk, rights."""

    exit_code = 4


class FetchError(InkstickError):
    """An input could not be had, or is not what the lock says."""

    exit_code = 5


class LockError(InkstickError):
    """The lock is missing, does not fit the profile, or names what is gone."""

    exit_code = 6


class StepError(InkstickError):
    """A step of the build failed."""

    exit_code = 7


class VerifyError(InkstickError):
    """A finished file is not what it should be."""

    exit_code = 8


class FlashError(InkstickError):
    """A stick cannot be written, or is not what it claims to be."""

    exit_code = 9
