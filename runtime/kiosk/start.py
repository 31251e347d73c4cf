"""What the station is still doing to get ready, how far it is, and what this machine turned out to be.

An estimate is only made from what was seen on this machine: how long the engine took to load before, since the
power came on, and how much of the weights the medium has given. Where nothing was seen, none is told.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from runtime.accuracy.selftest import SelfTest
from runtime.config import StationConfig
from runtime.engine.wire import Phase
from runtime.gateway.metrics import cards_of
from runtime.gateway.milestones import Milestones
from runtime.gateway.reader import Reader
from runtime.gateway.station_watch import StationWatch

_DISKSTATS = Path("/proc/diskstats")
_SECTOR_BYTES = 512
_WHOLE_DISK = re.compile(r"^(sd[a-z]+|vd[a-z]+|nvme\d+n\d+|mmcblk\d+|sr\d+)$")
_SHARE_BEFORE_READY = 0.97

StepName = Literal["system", "page", "hardware", "engine", "selftest"]
StepState = Literal["done", "running", "waiting", "failed"]


class Step(BaseModel):
    """`at_s`: when it was done, in seconds since the power came on. `usual_s`: what it took before on this machine,
    `share`: how far it is; None where nobody can tell. `phase`: what the engine is at, as it says itself; `share` is
    then that of the phase, if it tells one."""

    name: StepName
    state: StepState
    at_s: float | None = None
    since_s: float | None = None
    usual_s: float | None = None
    share: float | None = None
    phase: Phase | None = None


class Tested(BaseModel):
    """The last self-test of this machine."""

    outcome: Literal["passed", "failed", "given-up"]
    pages: int
    seconds_a_page: float | None
    cer: float | None
    engine: str


class CardUse(BaseModel):
    name: str
    memory_used_bytes: int
    memory_bytes: int


class StartReport(BaseModel):
    """`weights_bytes` and `read_bytes`: of the model, and what the machine's media have given since the gateway
    started; both 0 without a model."""

    steps: list[Step]
    engine: str | None
    weights_bytes: int
    read_bytes: int
    tested: Tested | None
    cards: list[CardUse]


class Start:
    """Looks when it is asked."""

    def __init__(
        self,
        config: StationConfig,
        reader: Reader,
        milestones: Milestones,
        selftest: SelfTest,
        watch: StationWatch,
        *,
        read_bytes: Callable[[], int] | None = None,
    ) -> None:
        self._config = config
        self._reader = reader
        self._milestones = milestones
        self._selftest = selftest
        self._watch = watch
        self._media_gave = read_bytes or media_gave
        self._gave_at_start = self._media_gave()
        self._weights_bytes = sum(_size(engine.model.folder) for engine in config.engines if engine.model)
        self._began = time.monotonic()

    def alerts(self) -> list[str]:
        return [alert.name for alert in self._watch.book.firing]

    def now(self) -> StartReport:
        reader, run = self._reader, self._selftest.last
        return StartReport(
            steps=self._steps(),
            engine=reader.reading_engine,
            weights_bytes=self._weights_bytes,
            read_bytes=self._read_bytes() if self._weights_bytes else 0,
            tested=None
            if run is None
            else Tested(
                outcome=run.outcome,
                pages=run.figures.pages,
                seconds_a_page=run.seconds_a_page,
                cer=run.figures.cer,
                engine="" if run.engine is None else run.engine.name,
            ),
            cards=[CardUse(**card.model_dump(include=set(CardUse.model_fields))) for card in cards_of(reader.engines)],
        )

    def _steps(self) -> list[Step]:
        steps = [
            Step(name="system", **self._milestone("gateway-ready")),
            Step(name="page", **self._milestone("kiosk-painted")),
        ]
        if self._config.hardware_report is not None:
            steps.append(Step(name="hardware", state=self._hardware()))
        steps.append(self._engine())
        if self._config.selftest.at_start or self._selftest.last is not None:
            steps.append(Step(name="selftest", state=self._tested()))
        return steps

    def _milestone(self, name: str) -> dict[str, Any]:
        at = self._milestones.reached_at.get(name)
        return {"state": "running" if at is None else "done", "at_s": at}

    def _hardware(self) -> StepState:
        report = self._reader.hardware.report
        if report.troubles:
            return "failed"
        return "done" if report.parts else "running"

    def _engine(self) -> Step:
        at = self._milestones.reached_at.get("engine-ready")
        if self._reader.state == "ready":
            return Step(name="engine", state="done", at_s=at)
        parts = self._reader.hardware.report.parts
        loading = [
            engine for engine in self._reader.engines if parts.get(engine.name, "start") == "start"
        ] or self._reader.engines
        since_s = max((engine.loads.since_s or 0.0 for engine in loading), default=0.0)
        usual_s = min((engine.loads.took_s[-1] for engine in loading if engine.loads.took_s), default=None)
        told = next((engine.health.loading for engine in loading if engine.health and engine.health.loading), None)
        return Step(
            name="engine",
            state="running",
            since_s=since_s,
            usual_s=usual_s,
            share=self._share(since_s, usual_s) if told is None or told.share is None else told.share,
            phase=None if told is None else told.phase,
        )

    def _share(self, since_s: float, usual_s: float | None) -> float | None:
        """Never all of it before it is ready: an estimate that was too short stays below."""
        if usual_s:
            return min(_SHARE_BEFORE_READY, since_s / usual_s)
        if self._weights_bytes:
            return min(_SHARE_BEFORE_READY, self._read_bytes() / self._weights_bytes)
        return None

    def _read_bytes(self) -> int:
        return max(0, self._media_gave() - self._gave_at_start)

    def _tested(self) -> StepState:
        if self._selftest.state != "idle":
            return "running" if self._selftest.state == "running" else "waiting"
        last = self._selftest.last
        if last is None:
            return "waiting"
        return "done" if last.outcome == "passed" else "failed"


def media_gave(stats: Path = _DISKSTATS) -> int:
    """Bytes read from the machine's disks and sticks since the power came on, by the kernel's count of sectors."""
    try:
        rows = [line.split() for line in stats.read_text().splitlines()]
    except OSError:
        return 0
    return sum(int(row[5]) for row in rows if len(row) > 5 and _WHOLE_DISK.match(row[2])) * _SECTOR_BYTES


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))
