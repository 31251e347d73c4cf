"""What the station's programs said of late, without document text: this process's own lines, and the units'.

Of the units' journal only what our own programs wrote is told, which never quote a page, and what systemd
says of every unit. The lines of Chromium, Xorg and vLLM are left out: nobody has looked through all that
they may say.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel

from runtime.logs import JsonLines

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")
_KEPT = 2000
_JOURNAL_LINES = 2000
_JOURNAL_S = 20.0
_OURS = ("inkstick-engine@", "inkstick-media", "inkstick-clock", "inkstick-hardware", "inkstick-engine-")
"""Units whose programs are our own; the gateway's are in its own book."""
_BY_PRIORITY: tuple[Level, ...] = ("error", "error", "error", "error", "warning", "info", "info", "debug")
_LONGEST = 2000


class Line(BaseModel):
    """`at`: seconds since 1970. `source`: the logger, or the unit."""

    at: float
    level: Level
    source: str
    text: str


class LogBook(logging.Handler):
    """The last lines of this process. Add it to the root logger."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[Line] = deque(maxlen=_KEPT)
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        try:
            told = json.loads(self.format(record))
            rest = {name: value for name, value in told.items() if name not in ("time", "level", "logger", "message")}
            text = " ".join([told["message"], *(f"{name}={value}" for name, value in rest.items() if value != "")])
            line = Line(at=record.created, level=_level(record.levelno), source=record.name, text=text[:_LONGEST])
            self._lines.append(line)
        except Exception:
            self.handleError(record)

    def lines(self) -> list[Line]:
        """Oldest first."""
        return list(self._lines)


def chosen(lines: Iterable[Line], *, least: Level, source: str, words: str, most: int) -> list[Line]:
    """The newest first: of `least` level and above, whose source begins with `source`, with `words` in them."""
    from_level = LEVELS.index(least)
    found = [
        line
        for line in lines
        if LEVELS.index(line.level) >= from_level
        and line.source.startswith(source)
        and words.casefold() in line.text.casefold()
    ]
    return sorted(found, key=lambda line: line.at, reverse=True)[:most]


async def journal() -> list[Line]:
    """The units' lines since the station started; empty where the journal cannot be read."""
    argv = ("journalctl", "--output=json", "--no-pager", "--quiet", "--boot", f"--lines={_JOURNAL_LINES}")
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, "UNIT=inkstick.target", "+", "_COMM=python3", "+", "_COMM=systemd",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return []
    try:
        async with asyncio.timeout(_JOURNAL_S):
            told, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return []
    return [line for entry in told.splitlines() if (line := line_of(entry)) is not None]


def line_of(entry: bytes) -> Line | None:
    """One entry of `journalctl --output=json`; None for one that is not told (see the module)."""
    try:
        fields: dict[str, Any] = json.loads(entry)
        at = int(fields["__REALTIME_TIMESTAMP"]) / 1e6
        message = fields["MESSAGE"]
        priority = int(fields.get("PRIORITY", 6))
    except (ValueError, KeyError, TypeError):
        return None
    own_unit = str(fields.get("_SYSTEMD_UNIT", ""))
    said_of = str(fields.get("UNIT", "")) if fields.get("_COMM") == "systemd" else ""
    if not isinstance(message, str) or not (own_unit.startswith(_OURS) or said_of.startswith("inkstick")):
        return None
    level = _BY_PRIORITY[priority] if 0 <= priority < len(_BY_PRIORITY) else "info"
    text, source = message, said_of or own_unit
    if message.startswith("{"):
        try:  # our own programs write objects
            own = json.loads(message)
            text = str(own.pop("message"))
            level = own["level"] if own.get("level") in LEVELS else level
            own = {name: value for name, value in own.items() if name not in ("time", "level", "logger")}
            text = " ".join([text, *(f"{name}={value}" for name, value in own.items())])
        except (ValueError, KeyError):
            pass
    return Line(at=at, level=level, source=source.removesuffix(".service"), text=text[:_LONGEST])


def _level(number: int) -> Level:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warning"
    return "info" if number >= logging.INFO else "debug"
