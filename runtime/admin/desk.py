"""Everything the admin page looks at, in one place: the gateway's two applications, and what is remembered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from fastapi.datastructures import State

from runtime.accuracy.records import Records
from runtime.accuracy.selftest import SelfTest
from runtime.admin import log_book
from runtime.admin.bundle import bundle, name_of
from runtime.admin.door import Door
from runtime.admin.engines import standings
from runtime.admin.history import EVERY_S, History
from runtime.admin.log_book import Line, LogBook
from runtime.admin.sampling import Sampler
from runtime.admin.zones import Zone
from runtime.clock.client import ClockClient
from runtime.config import StationConfig
from runtime.gateway.job_service import JobService
from runtime.gateway.metrics import Metrics, cards_of
from runtime.gateway.milestones import seconds_since_start
from runtime.gateway.reader import Reader
from runtime.gateway.station_watch import StationWatch
from runtime.keys.first import ShownKey
from runtime.kiosk.diagnostics import summary
from runtime.kiosk.session import Session
from runtime.media.client import MediaClient, Output
from runtime.media.failures import HELPER_DOWN
from runtime.problems import Problem

_SELFTESTS = 50


class Desk:
    """`async with desk.running()` takes figures; `first_keys` gives the REST interface's first keys, once."""

    def __init__(
        self,
        config: StationConfig,
        reader: Reader,
        session: Session,
        api: State,
        book: LogBook,
        *,
        first_keys: Callable[[], list[ShownKey]] = list,
        every_s: float = EVERY_S,
    ) -> None:
        self.config = config
        self.reader = reader
        self.session = session
        self.watch: StationWatch = api.watch
        self.selftest: SelfTest = api.selftest
        self.records: Records = api.records
        self.first_keys = first_keys
        self.door = Door(config.admin)
        self.history = History()
        self.clock = ClockClient(config.admin.clock_socket)
        self.zone = Zone(config.admin.zone_file, config.admin.zone)
        self._jobs: JobService = api.jobs
        self._metrics: Metrics = api.metrics
        self._book = book
        self._media = None if config.media_socket is None else MediaClient(config.media_socket)
        self._sampler = Sampler(self.history, reader, self._jobs_waiting, every_s=every_s)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Samples are taken for as long as the context lasts."""
        return self._sampler.running()

    async def _jobs_waiting(self) -> int:
        return (await self._jobs.load()).pages

    async def now(self) -> dict[str, Any]:
        """What the page draws every few seconds."""
        book, state = self.watch.book, self.session.state()
        return {
            "version": self.config.version,
            "profile": self.config.profile,
            "up_s": seconds_since_start(),
            "language": self.session.language,
            "engine_state": self.reader.state,
            "engines": [each.model_dump() for each in standings(self.reader)],
            "cards": [card.model_dump() for card in cards_of(self.reader.engines)],
            "alerts": [alert.model_dump() for alert in book.firing],
            "over": [alert.model_dump() for alert in book.over[:20]],
            "rules": [rule.model_dump() for rule in book.standings()],
            "last": dict(self.history.last),
            "selftest": await self._selftests(),
            "clock": {
                "at": time.time(),
                "shown": self.zone.shown(time.time()),
                "zone": self.zone.name,
                "can_set": self.clock.can_set,
            },
            "sticks": state["sticks"],
            "can_power_off": state["can_power_off"],
            "unsaved": bool((state.get("reading") or {}).get("unsaved")),
            "wants_keys": self.config.auth.required,
        }

    async def _selftests(self) -> dict[str, Any]:
        history = await asyncio.to_thread(self.records.selftests, _SELFTESTS)
        return {
            "state": self.selftest.state,
            "at_start": self.config.selftest.at_start,
            "history": [run.model_dump() for run in history],
        }

    async def lines(self) -> list[Line]:
        """The gateway's own, and the units' where they can be read."""
        units = await log_book.journal() if self.config.admin.journal else []
        return sorted([*self._book.lines(), *units], key=lambda line: line.at)

    async def packed(self) -> Output:
        """The diagnostics bundle, as a stick takes it."""
        report, book = self.reader.hardware.report, self.watch.book
        await self.watch.look()
        told = {
            "hardware": report,
            "alerts": {"firing": book.firing, "over": book.over, "rules": book.standings()},
            "engines": {"engines": standings(self.reader), "cards": cards_of(self.reader.engines)},
            "selftest": await self._selftests(),
            "history": {"hour": self.history.columns("hour"), "day": self.history.columns("day")},
        }
        engines = [await engine.metrics() for engine in self.reader.engines if engine.ready]
        content = await asyncio.to_thread(
            bundle,
            summary=summary(self.config, report, [alert.name for alert in book.firing]),
            documents=told,
            metrics=self._metrics.text() + "".join(engines).encode(),
            lines=await self.lines(),
            versions={"version": self.config.version, "profile": self.config.profile},
        )
        return Output(name_of(time.time()), ((".zip", content),))

    async def save_bundle(self, stick_id: str) -> dict[str, Any]:
        """Folder and name it got. Raises Problem; the stick is unmounted when this returns."""
        if self._media is None:
            raise Problem(HELPER_DOWN)
        stick = self.session.shelf.find(stick_id)
        if stick is not None and stick.state == "ejected":
            await self._media.use(stick_id)
        saved = await self._media.save(stick_id, [await self.packed()], lambda _: None)
        return {"folder": saved.folder, "names": list(saved.names)}

    @property
    def switch_file(self) -> Path | None:
        return self.config.admin.switch_file
