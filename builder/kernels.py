"""Machine code for graphics cards, across the layers of wheels: what each found, and whether it will do."""

from __future__ import annotations

import json
from typing import Any

from builder.cache import Cache
from builder.errors import VerifyError
from builder.gpu.report import shortcomings
from builder.plan import Plan


def rows(plan: Plan, cache: Cache) -> list[dict[str, Any]]:
    """What the scanner found, library by library; with several sites a library may appear twice."""
    found: list[dict[str, Any]] = []
    for step in plan.layers:
        file = step.folder(cache) / "kernels.json"
        if file.exists():
            found += json.loads(file.read_text())
    return sorted(found, key=lambda row: str(row["library"]))


def check(plan: Plan, cache: Cache) -> None:
    """Raises VerifyError naming each needed library that the profile's card could not run."""
    driver = plan.profile.driver
    if driver is None or driver.machine_code is None:
        return
    problems = shortcomings(rows(plan, cache), driver.libraries, driver.machine_code)
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise VerifyError(
            f"the wheels do not serve the card of profile {plan.profile.name}:\n{lines}",
            hint="lock other versions, or correct `driver: {machine_code: ..., libraries: ...}`",
        )
