"""The ladder as the admin page shows it, and changing its order."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from runtime.gateway.engine_client import EngineClient
from runtime.gateway.reader import Reader
from runtime.problems import BAD_REQUEST, Problem, ProblemKind

log = logging.getLogger(__name__)

NO_SWITCH = ProblemKind("no-switch", 409, "This engine cannot be started here", "无法在本机启动此识别引擎")

Part = Literal["start", "standby", "refused", ""]


class EngineStanding(BaseModel):
    """`part`: what this machine does with it, see runtime/hardware/ladder.py; "" where nobody looked. `against`:
    codes of what keeps it from running."""

    name: str
    state: Literal["ready", "loading", "away"]
    reads: bool
    part: Part
    against: list[str]
    version: str
    models: list[str]
    tasks: list[str]
    parallel: int
    memory_bytes: int
    restarts: int
    hangs: int
    loading_s: float | None


def standings(reader: Reader) -> list[EngineStanding]:
    """In the order in which they are asked."""
    return [_standing(engine, reader) for engine in reader.engines]


def _standing(engine: EngineClient, reader: Reader) -> EngineStanding:
    report = reader.hardware.report
    info = engine.known.engine if engine.known is not None else None
    return EngineStanding(
        name=engine.name,
        state="ready" if engine.ready else "away" if engine.health is None else "loading",
        reads=engine.name == reader.reading_engine,
        part=report.parts.get(engine.name, ""),
        against=report.against(engine.name),
        version="" if info is None else info.version,
        models=[] if info is None else list(info.models),
        tasks=[] if engine.known is None else [task.value for task in engine.known.tasks],
        parallel=engine.parallel,
        memory_bytes=0 if engine.health is None else engine.health.memory_bytes,
        restarts=engine.restarts_seen - engine.recycles_seen,
        hangs=engine.hangs_seen,
        loading_s=engine.loads.since_s,
    )


async def put_first(reader: Reader, name: str, switch_file: Path | None) -> None:
    """From now on `name` is asked first; the others keep their order.

    One that waits for the card takes it from the engine that has it: a file says so to the unit that may start
    and stop engines (inkstick-engine-switch.path). Raises Problem BAD_REQUEST, and NO_SWITCH for one that this
    machine cannot run, or that waits where there is no such unit.
    """
    names = [engine.name for engine in reader.engines]
    if name not in names:
        raise Problem(BAD_REQUEST, "There is no such engine.")
    part = reader.hardware.report.parts.get(name, "")
    if part == "refused" or (part == "standby" and switch_file is None):
        codes = ", ".join(reader.hardware.report.against(name))
        raise Problem(NO_SWITCH, codes or "It waits for the card.", extra={"codes": codes})
    await reader.prefer([name, *(each for each in names if each != name)])
    log.warning("engine %s is asked first from now on", name)
    if part == "standby" and switch_file is not None:
        try:
            switch_file.write_text(name + "\n")
        except OSError as error:
            raise Problem(NO_SWITCH, f"The wish was not passed on ({type(error).__name__}).") from error
