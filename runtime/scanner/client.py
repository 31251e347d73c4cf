"""The page's side of the scanner service's socket."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runtime.media.call import Call, calling
from runtime.problems import Problem
from runtime.scanner import failures
from runtime.scanner.failures import SCANNERS_DOWN
from runtime.scanner.options import Abilities, Source
from runtime.scanner.scanimage import Device, Job


class ScannerClient:
    """Each call is a connection of its own; all raise Problem, SCANNERS_DOWN if nobody answers."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def devices(self) -> tuple[Device, ...]:
        async with self._call("list", {}) as call:
            _, message = await call.reply("devices")
            return tuple(Device(**device) for device in message["devices"])

    async def abilities(self, device: str) -> Abilities:
        async with self._call("abilities", {"device": device}) as call:
            _, message = await call.reply("abilities")
            sources = tuple(Source(**source) for source in message.pop("sources"))
            return Abilities(sources=sources, resolutions=tuple(message.pop("resolutions")), **message)

    async def scan(self, job: Job, on_progress: Callable[[int, float], None], on_page: Callable[[bytes], None]) -> int:
        """The number of pages; each goes to `on_page` (PNG) as it comes. Cancelling stops the scanner."""
        async with self._call("scan", asdict(job)) as call:
            while True:
                event, message = await call.reply("progress", "page", "scanned")
                if event == "scanned":
                    return int(message["pages"])
                if event == "page":
                    on_page(await call.reader.readexactly(int(message["size"])))
                else:
                    on_progress(int(message["page"]), float(message["share"]))

    def _call(self, operation: str, request: dict[str, Any]) -> AbstractAsyncContextManager[Call]:
        down = Problem(SCANNERS_DOWN, "They start again by themselves. Try again in a moment.")
        return calling(self._socket, operation, request, failures.KINDS, down)
