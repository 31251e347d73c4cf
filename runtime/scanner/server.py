"""The service's side of the socket; the protocol is that of runtime.media.wire.

One connection does one thing: `list`, `abilities`, or `scan`, which answers with `progress`, with `page`
and its bytes, and in the end with `scanned`. A caller that goes away ends its scan.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from runtime.media import wire
from runtime.media.answer import Asked, asked
from runtime.media.wire import WireError
from runtime.scanner.scanimage import Job, Scanners


class Service:
    """`await asyncio.start_unix_server(Service(scanners).answer, sock=...)`."""

    def __init__(self, scanners: Scanners) -> None:
        self._scanners = scanners

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asked(reader, writer, "Switch the scanner off and on.") as call:
            await call.while_wanted(self._done(call))

    async def _done(self, call: Asked) -> None:
        match call.operation:
            case "list":
                devices = await self._scanners.devices()
                await call.tell("devices", {"devices": [dataclasses.asdict(device) for device in devices]})
            case "abilities":
                device = _device(wire.field(call.request, "device"))
                await call.tell("abilities", await self._scanners.abilities(device))
            case "scan":
                await self._scan(_job(call.request), call)
            case _:
                raise WireError(f"there is no {call.operation}")

    async def _scan(self, job: Job, call: Asked) -> None:
        async def on_progress(page: int, share: float) -> None:
            await call.tell("progress", {"page": page, "share": share})

        async def on_page(png: bytes) -> None:
            await call.tell("page", {"size": len(png)}, png)

        pages = await self._scanners.scan(job, on_progress, on_page)
        await call.tell("scanned", {"pages": pages})


def _device(name: str) -> str:
    if not name or name.startswith("-"):
        raise WireError("that is no scanner's name")
    return name


def _job(request: dict[str, Any]) -> Job:
    try:
        job = Job(
            device=_device(str(request["device"])),
            source=str(request.get("source", "")),
            mode=str(request.get("mode", "")),
            resolution=int(request.get("resolution", 300)),
            width_mm=float(request.get("width_mm", 0)),
            height_mm=float(request.get("height_mm", 0)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WireError("the job is not well formed") from error
    if not 50 <= job.resolution <= 1200 or min(job.width_mm, job.height_mm) < 0:
        raise WireError("the job is not well formed")
    return job
