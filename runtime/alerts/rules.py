"""Alert rules as data: which figure, which bound, for how long, and what to say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, TypeAdapter, model_validator

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
"""Of the last ten minutes: `error_rate` (0..1, of the pages), `latency_p95_s` (of a page, its wait not counted),
`engine_restarts`; of the last hour: `pages_set_aside`. Of this moment: `queue_fill`, `gpu_memory` (the fullest
card), `memory`, `disk` (the fullest of those the service writes to), each 0..1 of what there is; `engines_ready`,
their number; `gpu_celsius`. `selftest_cer`: the character error rate of the last self-test.
`clock_behind_s`: by how much the clock stands before the day this station was made, so that it is surely wrong; 0 if
it does not. `tokens_out_of_time`: of the
last ten minutes, tokens refused as not yet or no longer valid: the two machines' clocks may differ."""


class AlertRule(BaseModel):
    """Fires when `signal` was `above` or `below` its bound for `for_s` seconds.

    One of the same name in the station's configuration takes the place of a built-in rule; `off` leaves it out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    signal: Signal
    above: float | None = None
    below: float | None = None
    for_s: NonNegativeFloat = 0.0
    severity: Literal["warning", "critical"] = "warning"
    zh: str
    en: str
    off: bool = False

    @model_validator(mode="after")
    def _has_one_bound(self) -> AlertRule:
        if (self.above is None) == (self.below is None):
            raise ValueError("a rule wants either above or below")
        return self

    def is_broken_by(self, value: float) -> bool:
        """Whether `value` is on the wrong side of the bound."""
        return value > self.above if self.above is not None else self.below is not None and value < self.below


_RULES = TypeAdapter(tuple[AlertRule, ...])


def built_in() -> tuple[AlertRule, ...]:
    """The rules of every station, in rules.json."""
    return _RULES.validate_python(json.loads(Path(__file__).with_name("rules.json").read_text(encoding="utf-8")))


def with_own(own: Sequence[AlertRule]) -> tuple[AlertRule, ...]:
    """The built-in rules and the operator's, each name once."""
    found = {rule.name: rule for rule in (*built_in(), *own)}
    return tuple(rule for rule in found.values() if not rule.off)
