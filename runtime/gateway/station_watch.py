"""Looks after the station every few seconds: which alerts fire."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from runtime.alerts.book import AlertBook
from runtime.alerts.rules import with_own
from runtime.background import running
from runtime.config import StationConfig
from runtime.gateway.job_service import JobService
from runtime.gateway.signals import Signals

log = logging.getLogger(__name__)

_EVERY_S = 5.0


class StationWatch:
    """`async with watch.running()`; `look` may be called besides, for figures of this moment."""

    def __init__(self, config: StationConfig, signals: Signals, jobs: JobService) -> None:
        self.book = AlertBook(with_own(config.alerts))
        self._signals = signals
        self._jobs = jobs

    def running(self) -> AbstractAsyncContextManager[None]:
        """For as long as the context lasts."""
        return running(self._work())

    async def look(self) -> None:
        load = await self._jobs.load()
        found = await asyncio.to_thread(self._signals.now, load.pages)
        for alert in self.book.look(found, now=time.monotonic(), clock=time.time()):
            log.warning("alert %s (%s): %s is %.3f", alert.name, alert.severity, alert.signal, alert.value)

    async def _work(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("the station could not look after itself")
            await asyncio.sleep(_EVERY_S)


class AlertMetrics(Collector):
    """For Prometheus: 1 for each rule that fires, and the figures that rules are held against."""

    def __init__(self, watch: StationWatch) -> None:
        self._watch = watch

    def collect(self) -> Iterable[Metric]:
        firing = GaugeMetricFamily("ocr_alert_firing", "1 if the alert fires.", labels=["alert", "severity"])
        signal = GaugeMetricFamily("ocr_signal", "What the station's own alert rules look at.", labels=["signal"])
        told: dict[str, float] = {}
        for rule in self._watch.book.standings():
            firing.add_metric([rule.name, rule.severity], float(rule.state == "firing"))
            if rule.value is not None:
                told[rule.signal] = rule.value
        for name, value in sorted(told.items()):
            signal.add_metric([name], value)
        yield firing
        yield signal
