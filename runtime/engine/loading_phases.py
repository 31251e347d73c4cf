"""`python3 -m runtime.engine.loading_phases FILE`: what vLLM's server is at while it loads, out of what it prints.

It has no other way to tell: its API answers when all is done, a minute or several after the start. This
program stands between the server's output and the journal, hands every byte on, and leaves in FILE the last
step that it recognised, as a Loading. The server's workers write into the same pipe; it ends with the last of them.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from runtime.engine.wire import Loading, Phase

_STEPS: tuple[tuple[Phase, re.Pattern[bytes]], ...] = (
    # Lines of vLLM 0.18 to 0.32; where a group is caught, it is per cent.
    ("weights", re.compile(rb"Loading \S+ checkpoint shards:\s+(\d+)%")),
    ("weights", re.compile(rb"Starting to load model |Loading weights took ")),
    ("graphs", re.compile(rb"Capturing CUDA graphs?[^:\r\n]*:\s+(\d+)%")),
    ("graphs", re.compile(rb"Graph capturing finished")),
    ("compile", re.compile(rb"Dynamo bytecode transform|torch\.compile|for the compilation\.\.\.")),
    ("memory", re.compile(rb"Model loading took |Available KV cache memory|GPU KV cache size|init engine ")),
)
_LONGEST_LINE_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 16


def phases_of(server: Path) -> Path:
    """The file beside the socket `server`."""
    return server.with_suffix(".loading")


def loading(server: Path) -> Loading | None:
    """What the server behind the socket `server` is at; None where it has not said."""
    try:
        return Loading.model_validate_json(phases_of(server).read_bytes())
    except (OSError, ValueError):
        return None


def step_of(line: bytes) -> Loading | None:
    """What a line of the server's output tells; None if nothing."""
    for phase, pattern in _STEPS:
        if found := pattern.search(line):
            return Loading(phase=phase, share=int(found[1]) / 100 if pattern.groups else None)
    return None


def watch_output(server: Path) -> None:
    """From now on, what this process and its children print goes through a program that looks for the steps."""
    watcher = subprocess.Popen(
        [sys.executable, "-m", "runtime.engine.loading_phases", str(phases_of(server))], stdin=subprocess.PIPE
    )
    assert watcher.stdin is not None
    for descriptor in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(watcher.stdin.fileno(), descriptor)
    watcher.stdin.close()


def follow(source: int, target: int, file: Path) -> None:
    """Copy all of `source` to `target` as it comes; the steps go into `file`."""
    file.unlink(missing_ok=True)
    rest = b""
    while chunk := os.read(source, _CHUNK_BYTES):
        view = memoryview(chunk)
        while view:
            view = view[os.write(target, view) :]
        *lines, rest = re.split(rb"[\r\n]", rest + chunk)  # progress bars end in \r
        rest = rest[-_LONGEST_LINE_BYTES:]
        steps = [step for line in lines if (step := step_of(line)) is not None]
        if steps:
            _put(file, steps[-1])


def _put(file: Path, step: Loading) -> None:
    """Whole or not at all; that nobody can be told is no reason to stop the model."""
    new = file.with_name(f"{file.name}.new")
    try:
        new.write_text(step.model_dump_json())
        new.replace(file)
    except OSError as error:
        print(f"loading phases: {error.strerror}", file=sys.stderr)


if __name__ == "__main__":
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)  # it must outlive those who write to it
    follow(sys.stdin.fileno(), sys.stdout.fileno(), Path(sys.argv[1]))
