"""What the station tells its monitoring: counts and durations, no document text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from runtime.engine.wire import Gpu
from runtime.gateway.engine_client import EngineClient
from runtime.gateway.page_log import PageLog, PageSeen
from runtime.gateway.reader import Reader
from runtime.results import PageResult

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NEWEST_WEIGHS = 0.1
_BUCKETS = (0.25, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600)


class Metrics:
    """One registry per application, so that several can live in one process."""

    def __init__(self, reader: Reader) -> None:
        self.seconds_a_page: float | None = None
        """A moving mean of what pages took, waiting not counted; None before the first."""
        self._registry = CollectorRegistry()
        self._request_s = Histogram(
            "ocr_request_duration_seconds",
            "From the upload's end to the answer.",
            ["task", "engine", "outcome"],
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._page_s = Histogram(
            "ocr_page_duration_seconds",
            "Of one page, from its turn on, of requests, jobs and the kiosk.",
            ["task", "engine", "outcome"],
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self.pages = Counter("ocr_pages", "Pages read.", ["engine"], registry=self._registry)
        self._truncated = Counter("ocr_truncated", "Answers cut at the token limit.", registry=self._registry)
        self._repeating = Counter("ocr_repeat_stop", "Answers cut in a loop.", registry=self._registry)
        self._registry.register(_ReaderState(reader))
        reader.log.listeners.append(self._page)

    def request(self, task: str, outcome: str, seconds: float, engine: str = "") -> None:
        """Count a request that was answered. `outcome`: "read", "interrupted" or a problem's code."""
        self._request_s.labels(task, engine, outcome).observe(seconds)

    def add(self, collector: Collector) -> None:
        """Tell what `collector` collects, too."""
        self._registry.register(collector)

    def read(self, result: PageResult) -> None:
        """Count a page that was read."""
        last, weight = result.elapsed_s, _NEWEST_WEIGHS
        before = self.seconds_a_page
        self.seconds_a_page = last if before is None else (1 - weight) * before + weight * last
        self.pages.labels(result.engine.name).inc()

    def _page(self, page: PageSeen) -> None:
        self._page_s.labels(page.task.value, page.engine, page.outcome).observe(page.seconds)
        if page.result is not None:
            self._truncated.inc("truncated" in page.result.warnings)
            self._repeating.inc("repeating" in page.result.warnings)

    def text(self) -> bytes:
        return generate_latest(self._registry)


class _ReaderState(Collector):
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def collect(self) -> Iterable[Metric]:
        ladder = self._reader.ladder
        yield GaugeMetricFamily("ocr_queue_depth", "Pages waiting their turn.", value=self._reader.waiting)
        yield GaugeMetricFamily("ocr_inflight", "Pages that engines are reading.", value=ladder.in_hand)
        yield CounterMetricFamily("ocr_pages_set_aside", "Pages that brought engines down.", value=ladder.set_aside)
        yield from _recent(self._reader.log)
        yield from _engines(self._reader.engines)
        yield from _cards(self._reader.engines)


def _recent(pages: PageLog) -> Iterable[Metric]:
    """For whoever reads this page without a Prometheus that would keep count."""
    latency = GaugeMetricFamily(
        "ocr_recent_page_seconds", "Of the pages of the last ten minutes, by percentile.", labels=["quantile"]
    )
    for percent in (50, 95, 99):
        if (seconds := pages.percentile_s(percent)) is not None:
            latency.add_metric([str(percent / 100)], seconds)
    yield latency
    if (mean := pages.mean_s()) is not None:
        yield GaugeMetricFamily("ocr_recent_page_seconds_mean", "Their mean.", value=mean)
    if (rate := pages.error_rate()) is not None:
        yield GaugeMetricFamily("ocr_recent_error_ratio", "Part of them that failed.", value=rate)


def _engines(engines: Sequence[EngineClient]) -> Iterable[Metric]:
    by_engine = ["engine"]
    ready = GaugeMetricFamily("ocr_engine_ready", "1 if the engine is ready.", labels=by_engine)
    restarts = CounterMetricFamily("ocr_engine_restarts", "Restarts seen.", labels=by_engine)
    recycles = CounterMetricFamily(
        "ocr_engine_recycles", "Of the restarts, those of an engine that had grown.", labels=by_engine
    )
    hangs = CounterMetricFamily("ocr_engine_hangs", "Times it hung with a page in hand.", labels=by_engine)
    memory = GaugeMetricFamily("ocr_engine_resident_bytes", "Its process's own memory.", labels=by_engine)
    for engine in engines:
        ready.add_metric([engine.name], float(engine.ready))
        restarts.add_metric([engine.name], engine.restarts_seen)
        recycles.add_metric([engine.name], engine.recycles_seen)
        hangs.add_metric([engine.name], engine.hangs_seen)
        if engine.health is not None:
            memory.add_metric([engine.name], engine.health.memory_bytes)
    return ready, restarts, recycles, hangs, memory


def _cards(engines: Sequence[EngineClient]) -> Iterable[Metric]:
    """As the engines tell: every one of them sees the same cards."""
    by_card = ["gpu", "name"]
    busy = GaugeMetricFamily("ocr_gpu_utilization_ratio", "Part of the time in which it computed.", labels=by_card)
    used = GaugeMetricFamily("ocr_gpu_memory_used_bytes", "Of its memory.", labels=by_card)
    total = GaugeMetricFamily("ocr_gpu_memory_bytes", "Its memory.", labels=by_card)
    celsius = GaugeMetricFamily("ocr_gpu_temperature_celsius", "Of its processor.", labels=by_card)
    for card in cards_of(engines):
        labels = [str(card.index), card.name]
        if card.busy is not None:
            busy.add_metric(labels, card.busy)
        used.add_metric(labels, card.memory_used_bytes)
        total.add_metric(labels, card.memory_bytes)
        if card.celsius is not None:
            celsius.add_metric(labels, card.celsius)
    return busy, used, total, celsius


def cards_of(engines: Sequence[EngineClient]) -> list[Gpu]:
    """The station's graphics cards, by index."""
    told = {card.index: card for engine in engines if engine.health for card in engine.health.gpus}
    return [told[index] for index in sorted(told)]
