"""What the station tells its monitoring: counts and durations, no document text."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from runtime.gateway.reader import Reader
from runtime.results import PageResult

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NEWEST_WEIGHS = 0.1


class Metrics:
    """One registry per application, so that several can live in one process."""

    def __init__(self, reader: Reader) -> None:
        self.seconds_a_page: float | None = None
        """A moving mean of what pages took, waiting not counted; None before the first."""
        self._registry = CollectorRegistry()
        self.duration_s = Histogram(
            "ocr_request_duration_seconds",
            "From the upload's end to the answer.",
            ["outcome"],
            registry=self._registry,
            buckets=(0.25, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600),
        )
        self.pages = Counter("ocr_pages", "Pages read.", ["engine"], registry=self._registry)
        self._truncated = Counter("ocr_truncated", "Answers cut at the token limit.", registry=self._registry)
        self._repeating = Counter("ocr_repeat_stop", "Answers cut in a loop.", registry=self._registry)
        self._registry.register(_ReaderState(reader))

    def read(self, result: PageResult) -> None:
        """Count a page that was read."""
        last, weight = result.elapsed_s, _NEWEST_WEIGHS
        before = self.seconds_a_page
        self.seconds_a_page = last if before is None else (1 - weight) * before + weight * last
        self.pages.labels(result.engine.name).inc()
        if "truncated" in result.warnings:
            self._truncated.inc()
        if "repeating" in result.warnings:
            self._repeating.inc()

    def text(self) -> bytes:
        return generate_latest(self._registry)


class _ReaderState(Collector):
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("ocr_queue_depth", "Pages waiting their turn.", value=self._reader.waiting)
        ready = GaugeMetricFamily("ocr_engine_ready", "1 if the engine is ready.", labels=["engine"])
        restarts = CounterMetricFamily("ocr_engine_restarts", "Restarts seen.", labels=["engine"])
        for engine in self._reader.engines:
            ready.add_metric([engine.name], float(engine.ready))
            restarts.add_metric([engine.name], engine.restarts_seen)
        yield ready
        yield restarts
