"""SANE's own program, scanimage: which scanners there are, what they can do, and the scans themselves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shlex
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from runtime.problems import BAD_REQUEST, Problem
from runtime.scanner import driverless, options
from runtime.scanner.failures import SCANNER_EMPTY, SCANNER_GONE, meaning
from runtime.scanner.options import Abilities

log = logging.getLogger(__name__)

_ASK_S = 90
_END_S = 20
_PROGRESS = re.compile(rb"Progress: ([\d.]+)%")
_MOST_PAGES = 500

OnProgress = Callable[[int, float], Awaitable[None]]
OnPage = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True)
class Device:
    """`id` is SANE's name for it, `name` the maker's."""

    id: str
    name: str


@dataclass(frozen=True)
class Job:
    """`source` and `mode` in SANE's words, "" for the scanner's own choice. 0 mm: as large as it goes."""

    device: str
    source: str = ""
    mode: str = ""
    resolution: int = 300
    width_mm: float = 0
    height_mm: float = 0


class Scanners:
    """`settings`: SANE's configuration folders, in order; driverless devices are written into the first.

    `ports`: where driverless scanners may answer.
    """

    def __init__(self, settings: list[Path], ports: range = driverless.PORTS) -> None:
        self._settings = settings
        self._ports = ports
        self._one = asyncio.Lock()

    async def devices(self) -> list[Device]:
        """Asks every backend; takes seconds."""
        async with self._one:
            at_ports = await asyncio.to_thread(driverless.found, self._ports)
            await asyncio.to_thread(driverless.write_settings, self._settings[0], at_ports)
            printed, complaint = await self._asked("--formatted-device-list", "%d|%v|%m%n")
        if complaint:
            log.info("scanimage: %s", complaint.strip())
        rows = [line.split("|", 2) for line in printed.splitlines() if line.count("|") >= 2]
        return [Device(row[0], _name(row[1], row[2])) for row in rows]

    async def abilities(self, device: str) -> Abilities:
        """Raises Problem if it cannot be opened."""
        async with self._one:
            printed, complaint = await self._asked("--device-name", device, "--all-options")
        if "All options specific to device" not in printed:
            raise meaning(complaint or "open of device")
        return options.parse(printed)

    async def scan(self, job: Job, on_progress: OnProgress, on_page: OnPage) -> int:
        """One page from a flatbed, all there are from a feeder. Returns their number; raises Problem.

        Cancelling ends the scan, and the scanner with it. `on_page` gets each page's PNG as it comes.
        """
        async with self._one:
            with tempfile.TemporaryDirectory(prefix="scan-") as folder:
                return await self._scan(job, Path(folder), on_progress, on_page)

    async def _scan(self, job: Job, folder: Path, on_progress: OnProgress, on_page: OnPage) -> int:
        feeds = options.kind_of(job.source) != "flatbed"
        arguments = ["--format=png", "--progress", "--batch-print", f"--batch={folder}/%d.png"]
        arguments += [f"--batch-count={_MOST_PAGES if feeds else 1}", *_settings_of(job)]
        pages = 0
        async with self._running("--device-name", job.device, *arguments) as process:
            assert process.stdout is not None and process.stderr is not None
            told = asyncio.create_task(_follow(process.stderr, lambda share: on_progress(pages + 1, share)))
            try:
                while line := await process.stdout.readline():
                    file = Path(line.decode().strip())
                    if file.parent == folder and file.is_file():
                        await on_page(file.read_bytes())
                        file.unlink()
                        pages += 1
                complaint = await told
                code = await process.wait()
            finally:
                told.cancel()
        problem = meaning(complaint)
        if problem.kind is SCANNER_EMPTY and pages:
            return pages  # the feeder is empty because every sheet was taken
        if code != 0 or not pages:
            log.warning("scan ended with %d: %s", code, complaint.strip()[-300:])
            raise problem
        return pages

    async def _asked(self, *arguments: str) -> tuple[str, str]:
        async with self._running(*arguments) as process:
            try:
                output, complaint = await asyncio.wait_for(process.communicate(), _ASK_S)
            except TimeoutError:
                raise Problem(SCANNER_GONE, "It did not answer in time. Switch it off and on.") from None
        return output.decode("utf-8", "replace"), complaint.decode("utf-8", "replace")

    @contextlib.asynccontextmanager
    async def _running(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """scanimage; ended by SIGINT, on which it tells the scanner to stop, and killed if that does not help."""
        command = ("scanimage", *arguments)
        log.info("run %s", shlex.join(command))
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C.UTF-8", "SANE_CONFIG_DIR": ":".join(map(str, self._settings))},
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
                try:
                    await asyncio.wait_for(process.wait(), _END_S)
                except TimeoutError:
                    process.kill()
                    await process.wait()


def _settings_of(job: Job) -> list[str]:
    if any(value.startswith("-") for value in (job.source, job.mode, job.device)):
        raise Problem(BAD_REQUEST, "A scanner's words do not begin with a dash.")
    settings = [f"--resolution={job.resolution}"]
    settings += [f"--source={job.source}"] if job.source else []
    settings += [f"--mode={job.mode}"] if job.mode else []
    for letter, size in (("x", job.width_mm), ("y", job.height_mm)):
        settings += [f"-{letter}", f"{size:g}"] if size else []
    return settings


def _name(vendor: str, model: str) -> str:
    vendor, model = vendor.strip(), model.strip()
    known = vendor.casefold() in ("", "noname", "escl") or model.casefold().startswith(vendor.casefold())
    return model if known else f"{vendor} {model}"


async def _follow(printed: asyncio.StreamReader, on_share: Callable[[float], Awaitable[None]]) -> str:
    """Reads progress (from 0 to 1) as it comes; returns everything else that was printed."""
    held, rest = b"", b""
    while chunk := await printed.read(4096):
        *lines, held = re.split(rb"[\r\n]", held + chunk)
        for line in lines:
            share = _PROGRESS.search(line)
            if share is None:
                rest += line + b"\n"
            else:
                await on_share(float(share[1]) / 100)
    return (rest + held).decode("utf-8", "replace")
