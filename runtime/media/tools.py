"""Running a program that is told a secret: on its standard input, never among its arguments."""

from __future__ import annotations

import logging
import os
import shlex
import subprocess

from runtime.media.mounting import CommandError

log = logging.getLogger(__name__)

_TIMEOUT_S = 1800
"""Deriving a key takes seconds; formatting a large, slow stick minutes; the interpreted test machine 20 times."""


class Failed(CommandError):
    """`code` is the program's exit status."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


SECOND = "SECOND"
"""Stands among the arguments for a file with the second secret, which exists in memory alone."""


def run(*command: str, stdin: bytes = b"", second: bytes = b"", fine: frozenset[int] = frozenset({0})) -> str:
    """Run a program, answer its output. Raises Failed for an exit status that is not `fine`, CommandError if it
    cannot be run. What it is told is not logged."""
    log.info("run %s", shlex.join(command))
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    held = os.memfd_create("second")
    try:
        os.write(held, second)
        words = [f"/proc/self/fd/{held}" if word == SECOND else word for word in command]
        done = subprocess.run(
            words, input=stdin, capture_output=True, timeout=_TIMEOUT_S, env=environment, pass_fds=(held,)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandError(str(error)) from error
    finally:
        os.close(held)
    if done.returncode not in fine:
        said = done.stderr.decode(errors="replace").strip()
        log.warning("%s: %s", command[0], said)
        raise Failed(said or f"{command[0]} ended with {done.returncode}", done.returncode)
    return done.stdout.decode(errors="replace")
