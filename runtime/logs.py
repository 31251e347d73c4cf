"""Logs without document text: lines of JSON on a station, readable ones at a terminal.

An exception's own words may quote what was being read, so only its kind and place are written.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

Format = Literal["json", "text"]
_Error = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(chosen: Format) -> None:
    """Send this process's log to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if chosen == "json" else ReadableLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every look at an engine's health


class _Discreet(logging.Formatter):
    def formatException(self, ei: _Error) -> str:
        """Kinds and places, from the innermost cause outwards."""
        parts: list[str] = []
        error = ei[1]
        while error is not None:
            places = traceback.extract_tb(error.__traceback__)
            parts.append(f"{type(error).__name__} at {' > '.join(f'{p.filename}:{p.lineno}' for p in places)}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(reversed(parts))

    def words(self, record: logging.LogRecord) -> str:
        """asyncio puts a lost exception's words into the lines after the first."""
        message = record.getMessage()
        return message.partition("\n")[0] if record.name == "asyncio" else message


class JsonLines(_Discreet):
    """An object a line; a record's `fields` stand in it beside time, level, logger and message."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.words(record),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class ReadableLines(_Discreet):
    """`logger: message`, and fields that say something as `name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in getattr(record, "fields", {}).items() if value != "")
        line = f"{record.name}: {self.words(record)}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
