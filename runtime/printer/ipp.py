"""IPP (RFC 8011) by CUPS's own ipptool, which asks one thing and answers with a property list."""

from __future__ import annotations

import asyncio
import contextlib
import os
import plistlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.parsers.expat import ExpatError

_REQUESTS = Path(__file__).with_name("requests")
_ANSWER_S = 30
Attributes = dict[str, Any]
"""By IPP's names; what may have several values may be one value or a list of them."""


@dataclass
class IppError(Exception):
    """`status`: as "client-error-not-found"; empty where nobody answered."""

    status: str

    def __str__(self) -> str:
        return self.status or "no answer"


def over(socket: Path, place: str = "/") -> str:
    """The URI of `place` at a daemon that listens on a Unix socket."""
    return f"ipp://{quote(str(socket), safe='')}{place}"


async def ask(request: str, uri: str, file: Path | None = None, **values: str | int) -> Attributes:
    """All attributes of the answer to one of `requests/`, its `values` filled in. Raises IppError."""
    argv = ["-T", "20", *(word for name, value in values.items() for word in ("-d", f"{name}={value}"))]
    argv += ["-f", str(file)] if file else []
    process = await asyncio.create_subprocess_exec(
        "ipptool",
        "-X",
        *argv,
        uri,
        str(_REQUESTS / f"{request}.test"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _ANSWER_S)
    except TimeoutError:
        raise IppError("") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return _answer(output)


def _answer(output: bytes) -> Attributes:
    try:
        tests = plistlib.loads(output)["Tests"]
    except (plistlib.InvalidFileException, ExpatError, KeyError, ValueError) as error:
        raise IppError("") from error
    if not tests:
        raise IppError("")
    (told,) = tests
    if not told.get("Successful"):
        raise IppError(str(told.get("StatusCode", "")))
    attributes: Attributes = {}
    for group in told.get("ResponseAttributes", []):
        attributes |= group
    return attributes


def several(attributes: Attributes, name: str) -> list[str]:
    """The values of an attribute that may have several, or none."""
    value = attributes.get(name, [])
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
