"""The one way to run a command: logged, streamed to a file, explained when it fails."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from builder.errors import HostError, StepError
from builder.failure import explain

_TAIL_LINES = 12


def run(
    argv: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    hint: str = "",
    on_line: Callable[[str], None] | None = None,
) -> None:
    """Run `argv`, appending its output to `log`; `on_line` sees each line as it comes.

    A carriage return ends a line too, so that progress counters reach `on_line`.
    Raises StepError with the quoted command and its last lines, HostError if it is missing.
    """
    words = [str(word) for word in argv]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        sink.write(f"$ {shlex.join(words)}\n".encode())
        sink.flush()
        process = _spawn(words, cwd=cwd, env=env)
        assert process.stdout is not None
        try:
            for line in _lines(process.stdout):
                sink.write(line.encode() + b"\n")
                sink.flush()
                if on_line:
                    on_line(line)
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
    if code != 0:
        raise _failed(code, log, hint)


def output(argv: Sequence[str | Path], *, hint: str = "", stdin: bytes | None = None) -> str:
    """Run `argv` and return what it printed. Raises StepError, or HostError if it is missing."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, check=False)
    except FileNotFoundError:
        raise _missing(words[0]) from None
    if done.returncode != 0:
        last = "\n".join(done.stderr.decode(errors="replace").splitlines()[-_TAIL_LINES:])
        raise StepError(f"{_describe(done.returncode)}: {shlex.join(words)}\n{last}", hint=hint)
    return done.stdout.decode()


def _failed(code: int, log: Path, hint: str) -> StepError:
    """The innermost command by the log, the lines that matter, a remedy by what they say."""
    found = explain(log)
    shown = "\n".join(f"  {line}" for line in found.lines)
    return StepError(f"{_describe(code)}: {found.command}\n{shown}", hint=hint or found.remedy, log=log)


def _spawn(words: list[str], *, cwd: Path | None, env: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    if shutil.which(words[0]) is None:
        raise _missing(words[0])
    # The kernel kills the command with the build, however the build ends.
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", *words],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _lines(stream: IO[bytes]) -> Iterator[str]:
    read1 = stream.read1  # type: ignore[attr-defined]
    pending = b""
    while chunk := read1(65536):
        parts = (pending + chunk).replace(b"\r", b"\n").split(b"\n")
        pending = parts.pop()
        yield from (part.decode(errors="replace") for part in parts)
    if pending:
        yield pending.decode(errors="replace")


def _describe(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit status {code}"


def _missing(program: str) -> HostError:
    return HostError(f"{program} is not installed", hint="run `python3 build.py` once: it installs what it needs")
