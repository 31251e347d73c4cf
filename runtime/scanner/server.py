"""The service's side of the socket; the protocol is that of runtime.media.wire.

One connection does one thing: `list`, `abilities`, or `scan`, which answers with `progress`, with `page`
and its bytes, and in the end with `scanned`. A caller that goes away ends its scan.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from typing import Any

from runtime.media import wire
from runtime.media.wire import WireError
from runtime.problems import BAD_REQUEST, INTERNAL, Problem
from runtime.scanner.scanimage import Job, Scanners

log = logging.getLogger(__name__)


class Service:
    """`await asyncio.start_unix_server(Service(scanners).answer, sock=...)`."""

    def __init__(self, scanners: Scanners) -> None:
        self._scanners = scanners

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            operation, request = wire.parse(await reader.readline(), "op")
            work = asyncio.ensure_future(self._done(operation, request, writer))
            gone = asyncio.ensure_future(reader.read(1))
            try:
                await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                gone.cancel()
                work.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await work
        except WireError as error:
            _send(writer, "problem", _told(Problem(BAD_REQUEST, str(error))))
        except Problem as problem:
            _send(writer, "problem", _told(problem))
        except Exception:
            log.exception("a request failed")
            _send(writer, "problem", _told(Problem(INTERNAL, "Switch the scanner off and on.")))
        finally:
            with contextlib.suppress(ConnectionError):
                await writer.drain()
                writer.close()
                await writer.wait_closed()

    async def _done(self, operation: str, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        match operation:
            case "list":
                devices = await self._scanners.devices()
                _send(writer, "devices", {"devices": [dataclasses.asdict(device) for device in devices]})
            case "abilities":
                abilities = await self._scanners.abilities(_device(wire.field(request, "device")))
                _send(writer, "abilities", dataclasses.asdict(abilities))
            case "scan":
                await self._scan(_job(request), writer)
            case _:
                raise WireError(f"there is no {operation}")

    async def _scan(self, job: Job, writer: asyncio.StreamWriter) -> None:
        async def on_progress(page: int, share: float) -> None:
            _send(writer, "progress", {"page": page, "share": share})
            await writer.drain()

        async def on_page(png: bytes) -> None:
            _send(writer, "page", {"size": len(png)})
            writer.write(png)
            await writer.drain()

        pages = await self._scanners.scan(job, on_progress, on_page)
        _send(writer, "scanned", {"pages": pages})


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


def _send(writer: asyncio.StreamWriter, event: str, message: dict[str, Any]) -> None:
    writer.write(wire.line("event", event, message))


def _told(problem: Problem) -> dict[str, Any]:
    return {"code": problem.kind.code, "detail": problem.detail}
