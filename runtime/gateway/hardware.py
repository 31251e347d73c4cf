"""What runtime.hardware found on this machine, for programs and for the page."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ValidationError

log = logging.getLogger(__name__)


class Trouble(BaseModel):
    """One thing that keeps `engines` from running: see runtime/hardware/ladder.py for the codes."""

    code: str
    detail: str = ""
    engines: list[str] = []


class Report(BaseModel):
    """`parts`: what each engine of the ladder does on this machine; empty where nobody has looked."""

    parts: dict[str, Literal["start", "standby", "refused"]] = {}
    troubles: list[Trouble] = []
    facts: dict[str, Any] = {}

    def against(self, engine: str) -> list[str]:
        """Codes of what keeps `engine` from running here."""
        return [trouble.code for trouble in self.troubles if engine in trouble.engines]


class Hardware:
    """The report, read again when its file has changed. `path` is None where nobody looks."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._report = Report()

    @property
    def report(self) -> Report:
        """Empty until there is one. Never raises."""
        if self._path is None:
            return self._report
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp != self._stamp:
                self._report = Report.model_validate_json(self._path.read_bytes())
                self._stamp = stamp
        except FileNotFoundError:
            pass
        except (OSError, ValidationError) as error:
            log.warning("the hardware report cannot be read: %s", type(error).__name__)
        return self._report


def hardware_routes(hardware: Hardware) -> APIRouter:
    """The route of `GET /v1/hardware`."""
    router = APIRouter()

    @router.get("/v1/hardware", summary="What this machine lets the station run", tags=["Station"])
    async def report() -> Report:
        return hardware.report

    return router
