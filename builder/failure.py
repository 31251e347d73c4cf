"""What to show of a failed step: the command that failed, the lines that matter, and a remedy where one is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_SHOWN = 12
_WIDTH = 200
_COMMAND = "$ "
_TELLING = re.compile(
    r"\b(error|fatal|failed|cannot|can't|could not|not found|no such|denied|no space|unable|refused|killed)\b|^E:",
    re.IGNORECASE,
)
_NOISE = re.compile(r'^@progress |^\s+File ".*", line \d+|^\s+[\^~]+\s*$|^Traceback |^subprocess\.CalledProcessError')
_FRAME = re.compile(r'^\s+File ".*", line \d+')
_REMEDIES = (
    (r"No space left on device", "free some disk (python3 build.py clean), or INKSTICK_CACHE=/another/disk"),
    (r"Cannot allocate memory|MemoryError|out of memory|Killed", "close other programs, or add memory or swap"),
    (
        r"Temporary failure in name resolution|Network is unreachable|Could not resolve|Connection refused"
        r"|Name or service not known|dns error|client error \(Connect\)",
        "a step tried to reach a network, and builds have none: what it wants belongs in the profile, and its lock",
    ),
    (r"Hash Sum mismatch|hash mismatch|HASH", "the store is damaged: python3 build.py clean --all, then fetch again"),
    (r"Unable to locate package|has no installation candidate", "python3 build.py lock: the lock lacks a package"),
    (r"Operation not permitted", "this machine forbids it (a container?): run on the machine itself, or as root"),
)
UNKNOWN = "nothing half-done stays: run it again to go on from here; the log below has the whole output"


@dataclass(frozen=True)
class Failure:
    """`command`: the innermost one that the log names, or "". `lines`: in the log's order."""

    command: str
    lines: list[str]
    remedy: str


def explain(log: Path) -> Failure:
    """Read a step's log after it failed."""
    rows = log.read_text(errors="replace").splitlines()
    commands = [row.removeprefix(_COMMAND) for row in rows if row.startswith(_COMMAND)]
    start = max((number for number, row in enumerate(rows) if row.startswith(_COMMAND)), default=-1) + 1
    own = _without_noise(rows[start:])
    lines = _that_matter(own)
    text = "\n".join(own)
    remedy = next((told for pattern, told in _REMEDIES if re.search(pattern, text)), UNKNOWN)
    return Failure(commands[-1] if commands else "", [line[:_WIDTH] for line in lines], remedy)


def _without_noise(rows: list[str]) -> list[str]:
    """Without progress and without a traceback's frames, of which the last line alone says something."""
    kept = []
    source_follows = False
    for row in rows:
        if source_follows and not _FRAME.match(row):  # a frame's line of source
            source_follows = False
            continue
        source_follows = _FRAME.match(row) is not None
        if row.strip() and not _NOISE.match(row):
            kept.append(row)
    return kept


def _that_matter(rows: list[str]) -> list[str]:
    """Lines that speak of an error and the last ones, in order; of more than fit, the later."""
    last = set(range(max(0, len(rows) - _SHOWN // 2), len(rows)))
    telling = [number for number, row in enumerate(rows) if _TELLING.search(row) and number not in last]
    chosen = sorted({*telling[-(_SHOWN - len(last)) :], *last})
    return [rows[number] for number in chosen]
