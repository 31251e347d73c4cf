"""What is wrong with this machine, shown once and whenever the person asks."""

from __future__ import annotations

from typing import Any

from runtime.gateway.hardware import Hardware, Report


class Troubles:
    """`open`: there is something that the person has not acknowledged."""

    def __init__(self, hardware: Hardware) -> None:
        self._hardware = hardware
        self._report: Report = hardware.report
        self._seen: set[str] = set()

    @property
    def open(self) -> bool:
        return any(trouble.code not in self._seen for trouble in self._report.troubles)

    def look(self) -> bool:
        """Read the report again; whether it says something new."""
        before, self._report = self._report, self._hardware.report
        return before != self._report

    def close(self) -> None:
        self._seen = {trouble.code for trouble in self._report.troubles}

    def show(self) -> None:
        self._seen = set()

    def state(self) -> dict[str, Any]:
        """`reads`: engines that work on this machine, in the ladder's order."""
        return {
            "open": self.open,
            "list": [trouble.model_dump() for trouble in self._report.troubles],
            "reads": [name for name, part in self._report.parts.items() if part != "refused"],
        }
