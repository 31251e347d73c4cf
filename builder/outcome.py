"""What a build took, beside what its plan said: on the terminal and in the history."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from builder import history
from builder.cache import Cache
from builder.console import duration, say, size
from builder.plan import Plan


@dataclass(frozen=True)
class Outcome:
    """Bytes downloaded, bytes by which the disk shrank at most, bytes of the ISO, seconds in all."""

    download_bytes: int
    peak_bytes: int
    iso_bytes: int
    seconds: float


def planned(plan: Plan) -> Outcome:
    return Outcome(plan.download_bytes, plan.disk.total, plan.iso_bytes, plan.seconds)


def foretell(plan: Plan) -> None:
    """One line before a build begins, where there is something to do."""
    if plan.to_do:
        told = planned(plan)
        say(
            f"to build: {', '.join(plan.to_do)}; download {size(told.download_bytes)}, disk {size(told.peak_bytes)}"
            f" at peak, ISO {size(told.iso_bytes)}, about {duration(told.seconds)}"
        )


def tell(plan: Plan, actual: Outcome, cache: Cache) -> None:
    """A line for each figure, and one in the history."""
    told = planned(plan)
    say(f"  {'':<9} {'planned':>13} {'actual':>13}")
    for name, ours, theirs in (
        ("download", size(told.download_bytes), size(actual.download_bytes)),
        ("disk", size(told.peak_bytes), size(actual.peak_bytes)),
        ("ISO", size(told.iso_bytes), size(actual.iso_bytes)),
        ("time", duration(told.seconds), duration(actual.seconds)),
    ):
        say(f"  {name:<9} {ours:>13} {theirs:>13}")
    history.remember_build(
        cache,
        {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "profile": plan.profile.name,
            "steps": list(plan.to_do),
            "planned": asdict(told),
            "actual": asdict(actual),
        },
    )
