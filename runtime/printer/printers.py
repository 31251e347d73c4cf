"""The printers that are there, and printing on one of them by way of CUPS."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from runtime.printer.failures import (
    NO_PRINTER,
    PRINT_CANCELLED,
    PRINT_FAILED,
    PRINT_REFUSED,
    PRINTING_DOWN,
    Halt,
    halt,
)
from runtime.printer.ipp import Attributes, IppError, ask, over, several
from runtime.problems import Problem

log = logging.getLogger(__name__)

PORTS = range(60000, 60016)
"""ipp-usb's http-min-port, and more devices than a desk has sockets for."""
_LOOK_S = 0.5
_QUEUE_S = 60
_A4 = "iso_a4_210x297mm"
_NOT_FOUND = "client-error-not-found"
_STOPPED = 5
_CANCELLED, _ABORTED, _COMPLETED = 7, 8, 9
"""printer-state and job-state (RFC 8011, 5.4.11 and 5.3.7)."""

OnProgress = Callable[["Standing"], Awaitable[None]]


@dataclass(frozen=True)
class Printer:
    """`id`: its port on loopback; `name` the maker's. `halt`: why it would not print now."""

    id: int
    name: str
    halt: Halt | None


@dataclass(frozen=True)
class Standing:
    """How far a job is. `sheets`: printed ones, as far as the printer tells."""

    sheets: int
    halt: Halt | None


class Printers:
    """`cups`: the daemon's socket. `ports`: where printers may answer."""

    def __init__(self, cups: Path, ports: Iterable[int] = PORTS) -> None:
        self._cups = cups
        self._ports = tuple(ports)

    async def printers(self) -> list[Printer]:
        """All that answer; a second one of a name gets a number."""
        answers = await asyncio.gather(*(self._at(port) for port in self._ports))
        found: list[Printer] = []
        for port, told in zip(self._ports, answers, strict=True):
            if told is not None:
                found.append(Printer(port, _unused(_name(told), [each.name for each in found]), _halt_of(told)))
        return found

    async def print(self, printer: int, file: Path, copies: int, on_progress: OnProgress) -> None:
        """A PDF, to the last sheet; A4 where the printer has it. Raises Problem; cancelled, it cancels the job."""
        if printer not in self._ports:
            raise Problem(NO_PRINTER, "Choose another one.")
        told = await self._at(printer)
        if told is None:
            raise Problem(NO_PRINTER, "Check its cable and that it is switched on.")
        queue = await self._queue(printer, told)
        media = several(told, "media-ready") or several(told, "media-supported")
        paper = _A4 if _A4 in media else str(told.get("media-default") or _A4)
        before = await self._last(printer)
        try:
            answer = await ask("print", queue, file, copies=copies, media=paper)
        except IppError as error:
            log.warning("a job was refused: %s", error)
            raise Problem(PRINT_REFUSED, "Switch the printer off and on, and print again.") from error
        job = int(answer["job-id"])
        try:
            state = await self._follow(queue, job, printer, on_progress)
        except asyncio.CancelledError:
            with contextlib.suppress(IppError):
                await asyncio.shield(ask("cancel", queue, job=job))
            raise
        # CUPS tells a job that the printer gave up as done or as cancelled: the printer itself knows.
        last = await self._last(printer)
        if last is not None and last != before:
            _, state = last
        if state == _CANCELLED:
            raise Problem(PRINT_CANCELLED, "Print again if it was not meant.")
        if state == _ABORTED:
            raise Problem(PRINT_FAILED, "Look at the printer, and print again.")

    async def _last(self, port: int) -> tuple[int, int] | None:
        """The job that the printer itself ended last, and its state; None if it does not tell."""
        try:
            told = await ask("last", _device(port))
            return int(told["job-id"]), int(told["job-state"])
        except (IppError, KeyError):
            return None

    async def _at(self, port: int) -> Attributes | None:
        """What the printer at this port tells of itself."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return None
        writer.close()
        try:
            return await ask("printer", _device(port))
        except IppError:
            return None

    async def _queue(self, port: int, told: Attributes) -> str:
        """The URI of the printer's queue, once CUPS has learned what the printer can do."""
        which = f"{told.get('printer-uuid', '')} {_name(told)}"  # another one may come to the same port
        name = f"usb{port}_{hashlib.sha256(which.encode()).hexdigest()[:12]}"
        queue = over(self._cups, f"/printers/{name}")
        try:
            for _ in range(round(_QUEUE_S / _LOOK_S)):
                standing = await self._standing(queue)
                if standing is None:
                    await ask("queue", over(self._cups), queue=name, device=_device(port))
                elif standing.get("printer-is-accepting-jobs"):
                    return queue
                else:
                    await asyncio.sleep(_LOOK_S)
        except IppError as error:
            log.warning("no queue: %s", error)
            raise Problem(PRINTING_DOWN, "It starts again by itself. Try again in a moment.") from error
        raise Problem(NO_PRINTER, "It does not tell what it can do. Switch it off and on.")

    async def _standing(self, queue: str) -> Attributes | None:
        """None where CUPS has no such queue, or has dropped it."""
        try:
            return await ask("printer", queue)
        except IppError as error:
            if error.status != _NOT_FOUND:
                raise
            return None

    async def _follow(self, queue: str, job: int, port: int, on_progress: OnProgress) -> int:
        """The state in which CUPS ended it."""
        last: Standing | None = None
        while True:
            try:
                told, spooler = await asyncio.gather(ask("job", queue, job=job), ask("printer", queue))
            except IppError as error:
                raise Problem(PRINTING_DOWN, "Look what was printed, and print the rest again.") from error
            state = told.get("job-state")
            if state in (_COMPLETED, _CANCELLED, _ABORTED):
                log.info("job %d ended: %s", job, several(told, "job-state-reasons"))
                return int(state)
            device = await self._at(port)
            why: Halt | None = "away" if device is None else _halt_of(device) or _halt_of(spooler)
            sheets = int(told.get("job-media-sheets-completed") or told.get("job-impressions-completed") or 0)
            if (now := Standing(sheets, why)) != last:
                last = now
                await on_progress(now)
            await asyncio.sleep(_LOOK_S)


def _device(port: int) -> str:
    return f"ipp://localhost:{port}/ipp/print"


def _halt_of(told: Attributes) -> Halt | None:
    why = halt(several(told, "printer-state-reasons"))
    return why or ("stopped" if told.get("printer-state") == _STOPPED else None)


def _name(told: Attributes) -> str:
    name = str(told.get("printer-make-and-model") or told.get("printer-info") or "")
    return re.sub(r"[\x00-\x1f]", " ", name)[:80].strip() or "IPP"


def _unused(name: str, taken: list[str]) -> str:
    unused, number = name, 1
    while unused in taken:
        number += 1
        unused = f"{name} {number}"
    return unused
