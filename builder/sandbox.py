"""Run a step of the build in namespaces of its own: private mounts, no network, no survivors.

The step is a module of this package, started as a process of its own. When the build dies, for
whatever reason, the kernel kills the step (parent-death signal), with it its process namespace,
with that its mount namespace: no mount and no loop device stays behind.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder import namespaces
from builder.console import Meter
from builder.run import run

_PROGRESS = "@progress "


@dataclass(frozen=True)
class Sandbox:
    """How a step is started. `log` takes its whole output."""

    log: Path
    epoch: int

    def run(self, module: str, spec: dict[str, Any], meter: Meter, *, hint: str = "") -> None:
        """Run `python -m MODULE SPEC`, where SPEC is a file with `spec` as JSON, in the step's work folder.

        Raises StepError with the last lines of its output, HostError without the rights (see builder/namespaces.py).
        """
        namespaces.require_rights()
        file = Path(spec["work"]) / "spec.json"
        file.write_text(json.dumps(spec, sort_keys=True, indent=1))
        run(
            [*namespaces.enter(), sys.executable, "-m", module, file],
            log=self.log,
            env=environment(self.epoch),
            hint=hint,
            on_line=lambda line: _meter(line, meter),
        )


def environment(epoch: int) -> dict[str, str]:
    """What a step may see of this machine: nothing that could reach the image's bytes."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(epoch),
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DEBIAN_FRONTEND": "noninteractive",
    }


def report(done: int, total: int) -> None:
    """Called inside a step: tells the build how far it is."""
    print(f"{_PROGRESS}{done} {total}", flush=True)


def _meter(line: str, meter: Meter) -> None:
    if line.startswith(_PROGRESS):
        done, total = line.removeprefix(_PROGRESS).split()
        meter(int(done), int(total))
