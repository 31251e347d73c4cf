"""Which alerts fire: rules held against figures, over time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, TypeAdapter

from runtime.alerts.rules import AlertRule, Signal

State = Literal["ok", "pending", "firing", "unknown"]
_REMEMBERED = 100


class Text(BaseModel):
    """What to do, in both languages."""

    zh: str
    en: str


class Alert(BaseModel):
    """A rule that fires or fired. `since`, `until`: seconds since 1970 by the station's clock. Of an earlier session's
    alert that fired when the station was switched off, nobody knows `until`."""

    name: str
    severity: Literal["warning", "critical"]
    signal: Signal
    value: float
    text: Text
    since: float
    until: float | None = None


class Standing(BaseModel):
    """A rule as it stands. `value` is None where the station cannot tell, such as of a card that it has not."""

    name: str
    signal: Signal
    above: float | None
    below: float | None
    for_s: float
    severity: Literal["warning", "critical"]
    state: State
    value: float | None


_ALERTS = TypeAdapter(tuple[Alert, ...])


class AlertBook:
    """Call `look` every few seconds. What is kept elsewhere may be asked for, and given back, from another thread."""

    def __init__(self, rules: Sequence[AlertRule]) -> None:
        self._rules = tuple(rules)
        self._values: dict[str, float | None] = {}
        self._broken_since: dict[str, float] = {}
        self._firing: dict[str, Alert] = {}
        self._over: deque[Alert] = deque(maxlen=_REMEMBERED)
        self._earlier: tuple[Alert, ...] = ()
        self._lock = threading.Lock()

    def look(self, signals: Mapping[Signal, float | None], *, now: float, clock: float) -> list[Alert]:
        """Hold the rules against `signals`; those that began to fire. `now`: monotonic; `clock`: since 1970."""
        with self._lock:
            return self._look(signals, now, clock)

    def _look(self, signals: Mapping[Signal, float | None], now: float, clock: float) -> list[Alert]:
        begun = []
        for rule in self._rules:
            value = signals.get(rule.signal)
            self._values[rule.name] = value
            if value is None or not rule.is_broken_by(value):
                self._broken_since.pop(rule.name, None)
                if over := self._firing.pop(rule.name, None):
                    self._over.append(over.model_copy(update={"until": clock}))
                continue
            since = self._broken_since.setdefault(rule.name, now)
            if rule.name in self._firing:
                self._firing[rule.name] = self._firing[rule.name].model_copy(update={"value": value})
            elif now - since >= rule.for_s:
                self._firing[rule.name] = Alert(
                    name=rule.name,
                    severity=rule.severity,
                    signal=rule.signal,
                    value=value,
                    text=Text(zh=rule.zh, en=rule.en),
                    since=clock,
                )
                begun.append(self._firing[rule.name])
        return begun

    @property
    def firing(self) -> list[Alert]:
        """What is wrong now, what is critical first."""
        return sorted(self._firing.values(), key=lambda alert: (alert.severity != "critical", alert.since))

    @property
    def over(self) -> list[Alert]:
        """What was wrong, the newest first; that of earlier sessions after this one's."""
        with self._lock:
            return [*reversed(self._over), *self._earlier][:_REMEMBERED]

    @property
    def changes(self) -> tuple[object, ...]:
        """Differs whenever `dumped` would hold other alerts; their values while they fire do not count."""
        with self._lock:
            return tuple((alert.name, alert.since, alert.until) for alert in self._all())

    def dumped(self) -> bytes:
        """What fires and what fired, as JSON, to be kept elsewhere."""
        with self._lock:
            return _ALERTS.dump_json(tuple(self._all()))

    def take_in(self, dumped: bytes) -> None:
        """Remember earlier sessions' alerts, which fire no more. Raises ValueError if they are damaged."""
        told = _ALERTS.validate_json(dumped)
        with self._lock:
            known = {(alert.name, alert.since) for alert in self._all()}
            fresh = [alert for alert in told if (alert.name, alert.since) not in known]
            self._earlier = (*self._earlier, *fresh)[:_REMEMBERED]

    def forget_earlier(self) -> None:
        """What was taken in: this session's own stay."""
        with self._lock:
            self._earlier = ()

    def _all(self) -> Iterable[Alert]:
        """The newest first, as far as they are remembered."""
        every = [*self._firing.values(), *reversed(self._over), *self._earlier]
        return every[:_REMEMBERED]

    def standings(self) -> list[Standing]:
        """Every rule, in their order."""
        return [
            Standing(
                **rule.model_dump(include={"name", "signal", "above", "below", "for_s", "severity"}),
                state=self._state(rule),
                value=self._values.get(rule.name),
            )
            for rule in self._rules
        ]

    def _state(self, rule: AlertRule) -> State:
        if rule.name in self._firing:
            return "firing"
        if self._values.get(rule.name) is None:
            return "unknown"
        return "pending" if rule.name in self._broken_since else "ok"
