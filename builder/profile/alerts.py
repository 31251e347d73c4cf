"""An operator's alert rules, as a profile has them; runtime/alerts/rules.py reads them on the station."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from builder.profile.strict import Strict

Signal = Literal[
    "error_rate",
    "latency_p95_s",
    "queue_fill",
    "engines_ready",
    "engine_restarts",
    "pages_set_aside",
    "gpu_memory",
    "gpu_celsius",
    "memory",
    "disk",
    "selftest_cer",
    "clock_behind_s",
    "tokens_out_of_time",
]


class Alert(Strict):
    """Fires when `signal` was `above` or `below` its bound for `for_s` seconds; `zh` and `en` say what to do.

    One of the same name takes the place of a rule that every station has; `off` leaves it out.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    signal: Signal
    above: float | None = None
    below: float | None = None
    for_s: Annotated[float, Field(ge=0)] = 0.0
    severity: Literal["warning", "critical"] = "warning"
    zh: str
    en: str
    off: bool = False

    @model_validator(mode="after")
    def _has_one_bound(self) -> Alert:
        if (self.above is None) == (self.below is None):
            raise ValueError("an alert wants either above or below")
        return self
