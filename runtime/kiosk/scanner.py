"""The scanner: which there are, how to scan, and the pages that came, until they are read or dropped."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from runtime.kiosk.held import Held, content, size_bytes
from runtime.kiosk.parts import Left, Part, Put
from runtime.kiosk.session import Session
from runtime.problems import BAD_REQUEST, NOT_FOUND, QUEUE_FULL, Problem
from runtime.scanner.client import ScannerClient
from runtime.scanner.failures import SCANNER_BUSY, SCANNERS_DOWN
from runtime.scanner.options import Abilities
from runtime.scanner.scanimage import Device, Job

Colour = Literal["grey", "colour"]
Paper = Literal["a4", "a5", "whole"]
_PAPERS: dict[str, tuple[float, float]] = {"a4": (210, 297), "a5": (148, 210), "whole": (0, 0)}
_PREVIEW_DPI = 75


@dataclass(frozen=True)
class Settings:
    """How to scan; `source` is the scanner's own word, "" for its first."""

    source: str = ""
    colour: Colour = "colour"
    resolution: int = 300
    paper: Paper = "a4"


@dataclass
class Scanned:
    """One page as the scanner gave it: a PNG."""

    png: Held
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


class Scanner(Part):
    """Its screen is shown from `open` to `close` or `read`. All methods raise Problem.

    `devices`: None while they are looked for.
    """

    name = "scanner"

    def __init__(self, session: Session, client: ScannerClient | None) -> None:
        self._session = session
        self._client = client
        self._open = False
        self.devices: tuple[Device, ...] | None = None
        self.device: Device | None = None
        self.abilities: Abilities | None = None
        self.settings = Settings()
        self.pages: list[Scanned] = []
        self.preview: Scanned | None = None
        self.problem: Problem | None = None
        self._work: asyncio.Task[None] | None = None
        self._scanning: tuple[int, float] | None = None
        self._read = 0

    def screen(self) -> str | None:
        return "scanner" if self._open else None

    def state(self) -> dict[str, Any]:
        return {
            "devices": None if self.devices is None else [device.name for device in self.devices],
            "device": None if self.device is None else self.device.name,
            "abilities": None if self.abilities is None else asdict(self.abilities),
            "settings": asdict(self.settings),
            "scanning": None if self._scanning is None else {"page": self._scanning[0], "share": self._scanning[1]},
            "problem": None if self.problem is None else self.problem.kind.code,
            "pages": [page.id for page in self.pages],
            "preview": None if self.preview is None else self.preview.id,
        }

    def outlives(self, put: Put) -> Any:
        for page in self.pages:
            page.png = put(page.id, page.png)
        return [asdict(self.settings), self._open, self._read, [page.id for page in self.pages]]

    def resume(self, kept: Any, left: Left) -> None:
        """A preview, and a page that was under way, are scanned again."""
        settings, is_open, self._read, pages = kept
        self.settings = Settings(**settings)
        self.pages = [Scanned(place, page) for page in pages if (place := left.place(page)) is not None]
        if is_open:
            self.open()

    def open(self) -> None:
        self._open = True
        self.look()

    def look(self) -> None:
        """Look which scanners there are; takes seconds."""
        if self._work is None:
            self.devices, self.device, self.abilities = None, None, None
            self._begin(self._look())

    async def close(self) -> None:
        """Back to where one came from; what was scanned stays until it is read or dropped."""
        await self.stop()
        self._open = False
        self._session.changed()

    def choose(self, number: int) -> None:
        """Another of the scanners that were found."""
        if self._work is not None:
            raise Problem(SCANNER_BUSY)
        if self.devices is None or not 0 <= number < len(self.devices):
            raise Problem(NOT_FOUND)
        self._begin(self._use(self.devices[number]))

    def set(self, settings: Settings) -> None:
        self.settings = settings
        self._session.changed()

    def scan(self, *, preview: bool = False) -> None:
        """Pages are added as they come. A preview is one coarse picture and no page."""
        if self._work is not None:
            raise Problem(SCANNER_BUSY)
        if self.device is None or self.abilities is None:
            raise Problem(BAD_REQUEST, "Choose a scanner first.")
        job = self._job(self.device, self.abilities, preview)
        self._scanning = (1, 0.0)
        self._begin(self._scan(job, preview))

    async def stop(self) -> None:
        """End what is going on; finished pages stay."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    def drop(self, page_id: str) -> None:
        self.pages.remove(self.page(page_id))
        self._session.changed()

    def page(self, page_id: str) -> Scanned:
        known = [*self.pages, *([self.preview] if self.preview else [])]
        found = next((page for page in known if page.id == page_id), None)
        if found is None:
            raise Problem(NOT_FOUND, "This page was dropped.")
        return found

    async def picture(self, page_id: str, *, large: bool) -> bytes:
        return await self._session.reader.cage.picture(content(self.page(page_id).png), "preview" if large else "card")

    def read(self) -> None:
        """Hand all pages over to be read, in their order, and leave."""
        if self._work is not None:
            raise Problem(SCANNER_BUSY)
        if not self.pages:
            raise Problem(BAD_REQUEST, "Scan a page first.")
        while self.pages:
            self._session.add(f"scan-{self._read + 1:03}.png", self.pages[0].png, "scanner")
            self._read += 1
            del self.pages[0]
        self.preview, self._open = None, False
        self._session.changed()

    def holds(self) -> int:
        return len(self.pages)

    async def let_go(self) -> None:
        await self.forget()

    async def forget(self) -> None:
        """End the scan, drop every page, and begin to count anew."""
        await self.stop()
        self.pages.clear()
        self.preview, self._read = None, 0
        self._session.changed()

    def _begin(self, work: Any) -> None:
        async def done() -> None:
            try:
                await work
            except Problem as problem:
                self.problem = problem
            finally:
                self._work = self._scanning = None
                self._session.changed()

        self.problem = None
        self._work = asyncio.create_task(done())
        self._session.changed()

    async def _look(self) -> None:
        if self._client is None:
            self.devices = ()
            raise Problem(SCANNERS_DOWN)
        try:
            self.devices = await self._client.devices()
        except Problem:
            self.devices = ()
            raise
        if self.devices:
            await self._use(self.devices[0])

    async def _use(self, device: Device) -> None:
        assert self._client is not None
        self.device, self.abilities = device, None
        self.abilities = await self._client.abilities(device.id)
        if self.settings.source not in [source.name for source in self.abilities.sources]:
            self.settings = Settings(
                self.abilities.sources[0].name, self.settings.colour, self.settings.resolution, self.settings.paper
            )

    def _job(self, device: Device, abilities: Abilities, preview: bool) -> Job:
        wanted = _PREVIEW_DPI if preview else self.settings.resolution
        resolution = min(abilities.resolutions or (wanted,), key=lambda dpi: abs(dpi - wanted))
        width, height = _PAPERS[self.settings.paper]
        return Job(
            device.id,
            self.settings.source,
            abilities.colour if self.settings.colour == "colour" else abilities.grey,
            resolution,
            min(width, abilities.width_mm),
            min(height, abilities.height_mm),
        )

    async def _scan(self, job: Job, preview: bool) -> None:
        assert self._client is not None
        await self._client.scan(job, self._progressed, self._previewed if preview else self._came)

    def _progressed(self, page: int, share: float) -> None:
        if self._scanning is None or page != self._scanning[0] or abs(share - self._scanning[1]) >= 0.02:
            self._scanning = (page, round(share, 3))
            self._session.changed()

    def _previewed(self, png: bytes) -> None:
        self.preview = Scanned(png)
        self._session.changed()

    def _came(self, png: bytes) -> None:
        limit = self._session.config.limits.queue_bytes
        if sum(size_bytes(page.png) for page in self.pages) + len(png) > limit:
            raise Problem(QUEUE_FULL, "Read the pages that were scanned, or drop some.")
        self.pages.append(Scanned(png))
        self.preview = None
        self._session.changed()
