#!/usr/bin/env python3
"""Speed of the language-model engines on A4 pages, for a machine with a card.

    python3 bench/engine.py --model FOLDER                      # the real weights
    python3 bench/engine.py --random-shapes real                # random ones of their shape
    python3 bench/engine.py --random-shapes small --dpi 30 --tokens 16 --pages 2 --concurrency 1 2

Every answer has exactly --tokens tokens, so random weights measure what the real ones would. For each
engine and resolution: latency with one page at a time, pages a minute at each concurrency, the card's
peak memory, tokens a second over what its memory's bandwidth allows (2 bytes a parameter). Prints a
table and, last, one line of JSON; with --bars, exit code 1 where a bar of the project is missed.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image, ImageDraw

from bench.graphics_card import PeakMemory, bandwidth_gb_s, card
from bench.random_checkpoint import SHAPES, write_checkpoint
from runtime.child_process import die_with_parent
from runtime.config import EngineConfig, Listener, StationConfig
from runtime.engine.__main__ import create
from runtime.engine.contract import Engine
from runtime.engine.vllm_engine import VllmEngine
from runtime.results import Progress
from runtime.tasks.task import Ask, Task

_ROOT = Path(__file__).resolve().parents[1]
A4_INCHES = (8.27, 11.69)
LEAST_PIXELS = {"real": 512 * 512, "small": 64 * 64}
PARAMETERS = {"all": 996_208_112, "text": 539_000_000}
BARS = {"latency_p50_s": 1.5, "peak_memory_gb": 20.0, "of_bandwidth_bound": 0.6, "vllm_over_transformers": 3.0}


@dataclass
class Measured:
    """One engine at one resolution. Seconds a page with one at a time; `pages_per_minute` by concurrency."""

    engine: str
    dpi: int
    load_s: float
    latency_p50_s: float
    latency_p95_s: float
    tokens_per_s: float
    pages_per_minute: dict[int, float]
    peak_memory_gb: float | None = None
    of_bandwidth_bound: float | None = None
    of_text_model_bound: float | None = None


class Stopwatch:
    """Follows one page's progress: how fast tokens came after the first that were told."""

    def __init__(self) -> None:
        self._told: list[tuple[float, int]] = []

    def told(self, progress: Progress) -> None:
        if progress.done:
            self._told.append((time.monotonic(), progress.done))

    @property
    def tokens_per_s(self) -> float | None:
        if len(self._told) < 2:
            return None
        (start, first), (end, last) = self._told[0], self._told[-1]
        return (last - first) / (end - start) if end > start else None


def a4(dpi: int, seed: int) -> Any:
    """An A4 page of lines of dark boxes, height x width x 3. What is on it does not matter; no two are alike."""
    width, height = (round(side * dpi) for side in A4_INCHES)
    image = Image.new("RGB", (width, height), "white")
    draw, dice = ImageDraw.Draw(image), random.Random(seed)
    line = max(4, dpi // 6)
    for top in range(line, height - line, line * 2):
        left = line
        while left < width - 2 * line:
            right = min(width - line, left + dice.randint(line // 2, 4 * line))
            draw.rectangle((left, top, right, top + line), fill="black")
            left = right + line // 2
    return np.asarray(image, np.uint8)


def read(engine: Engine, page: Any, tokens: int) -> tuple[float, float | None]:
    """Seconds of one page, and its tokens a second. Raises RuntimeError if it did not write as many."""
    watch = Stopwatch()
    started = time.monotonic()
    result = engine.read(page, Ask(task=Task.DOCUMENT), watch.told, threading.Event())
    spent = time.monotonic() - started
    if result.generation is None or result.generation.tokens != tokens:
        raise RuntimeError(f"wanted {tokens} tokens, got {result.generation}")
    return spent, watch.tokens_per_s


def measure(config: EngineConfig, arguments: argparse.Namespace) -> Iterator[Measured]:
    """Load one engine, measure it at every resolution, and end it."""
    engine = create(config)
    memory = PeakMemory()
    with contextlib.ExitStack() as servers, contextlib.closing(engine), memory:
        started = time.monotonic()
        servers.enter_context(server_of(config, engine))
        engine.load()
        load_s = time.monotonic() - started
        for dpi in arguments.dpi:
            pages = [a4(dpi, seed) for seed in range(arguments.pages)]
            read(engine, pages[0], arguments.tokens)  # what is only slow once is not counted
            alone = [read(engine, page, arguments.tokens) for page in pages]
            times = [spent for spent, _ in alone]
            rates = [rate for _, rate in alone if rate is not None]
            at_once = arguments.concurrency if config.name == "vllm" else [1]
            yield Measured(
                engine=config.name,
                dpi=dpi,
                load_s=round(load_s, 1),
                latency_p50_s=round(_percentile(times, 50), 3),
                latency_p95_s=round(_percentile(times, 95), 3),
                tokens_per_s=round(fmean(rates), 1) if rates else 0.0,
                pages_per_minute={each: _pages_per_minute(engine, pages, each, arguments.tokens) for each in at_once},
                peak_memory_gb=memory.peak_gb,
            )


@contextlib.contextmanager
def server_of(config: EngineConfig, engine: Engine) -> Iterator[None]:
    """vLLM's server beside its engine, as a station's supervisor starts it; nothing for other engines."""
    if not isinstance(engine, VllmEngine):
        yield
        return
    nowhere = Listener(host="127.0.0.1", port=1)  # there is no gateway
    station = StationConfig(profile="bench", version="0", ui=nowhere, api=nowhere, engines=[config])
    path = config.socket.with_suffix(".json")
    path.write_text(station.model_dump_json())
    command = [sys.executable, "-m", "runtime.engine.vllm_main", "--config", str(path)]
    process = subprocess.Popen(command, cwd=_ROOT, preexec_fn=die_with_parent())

    def watch() -> None:
        process.wait()
        engine.server.close()  # the engine would wait for it for ever

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _percentile(values: list[float], percent: int) -> float:
    return values[0] if len(values) == 1 else quantiles(values, n=100, method="inclusive")[percent - 1]


def _pages_per_minute(engine: Engine, pages: list[Any], at_once: int, tokens: int) -> float:
    """With `at_once` pages in hand all the time; each reader reads two, or all of them if it is alone."""
    work = pages if at_once == 1 else [pages[number % len(pages)] for number in range(2 * at_once)]
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(at_once) as readers:
        for _ in readers.map(lambda page: read(engine, page, tokens), work):
            pass
    return round(60 * len(work) / (time.monotonic() - started), 2)


def missed_bars(rows: list[Measured]) -> list[str]:
    """What the project asks for and these figures do not show."""
    missed = []
    best = {
        name: max((max(row.pages_per_minute.values()) for row in rows if row.engine == name), default=0.0)
        for name in ("vllm", "transformers")
    }
    for row in rows:
        if row.engine != "vllm":
            continue
        for name in ("latency_p50_s", "peak_memory_gb"):
            value = getattr(row, name)
            if value is None or value > BARS[name]:
                missed.append(f"{name} at {row.dpi} dpi: {value}, wanted at most {BARS[name]}")
        if row.of_bandwidth_bound is None or row.of_bandwidth_bound < BARS["of_bandwidth_bound"]:
            missed.append(f"of_bandwidth_bound at {row.dpi} dpi: {row.of_bandwidth_bound}, wanted 0.6")
    if best["vllm"] < BARS["vllm_over_transformers"] * best["transformers"]:
        missed.append(
            f"pages a minute: vllm {best['vllm']}, transformers {best['transformers']}, wanted 3 times as many"
        )
    return missed


def print_table(rows: list[Measured]) -> None:
    print(f"{'engine':<14}{'dpi':>4}{'load s':>8}{'p50 s':>8}{'p95 s':>8}{'tok/s':>8}{'bound':>7}{'GB':>7}  pages/min")
    for row in rows:
        bound = "-" if row.of_bandwidth_bound is None else f"{row.of_bandwidth_bound:.2f}"
        memory = "-" if row.peak_memory_gb is None else f"{row.peak_memory_gb:.1f}"
        pages = ", ".join(f"{each}: {rate}" for each, rate in row.pages_per_minute.items())
        print(
            f"{row.engine:<14}{row.dpi:>4}{row.load_s:>8.1f}{row.latency_p50_s:>8.3f}{row.latency_p95_s:>8.3f}"
            f"{row.tokens_per_s:>8.1f}{bound:>7}{memory:>7}  {pages}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument("--model", type=Path, help="a folder with HunyuanOCR's weights")
    weights.add_argument("--random-shapes", choices=sorted(SHAPES), help="random weights of this shape")
    parser.add_argument("--engines", nargs="+", default=["vllm", "transformers"], choices=["vllm", "transformers"])
    parser.add_argument("--dpi", nargs="+", type=int, default=[150, 200])
    parser.add_argument("--tokens", type=int, default=700)
    parser.add_argument("--pages", type=int, default=16)
    parser.add_argument("--concurrency", nargs="+", type=int, default=[1, 4, 16, 64])
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--context", type=int, default=16384)
    parser.add_argument("--gpu-memory-utilization", type=float, help="for vLLM; 0.78 of 24 GB is under 20 GB")
    parser.add_argument("--vllm-argument", action="append", default=[], help="a further one for its server")
    parser.add_argument("--bandwidth-gb-s", type=float, help="of the card's memory, where it is not known here")
    parser.add_argument("--bars", action="store_true", help="exit code 1 where a bar is missed")
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    rows: list[Measured] = []
    parameters = PARAMETERS
    with tempfile.TemporaryDirectory(prefix="inkstick-bench-") as held:
        folder = arguments.model
        if folder is None:
            folder, least = Path(held) / "model", LEAST_PIXELS[arguments.random_shapes]
            parameters = write_checkpoint(folder, arguments.random_shapes, dtype=arguments.dtype, least_pixels=least)
        for name in arguments.engines:
            model = {
                "folder": folder,
                "dtype": arguments.dtype,
                "context": arguments.context,
                "forced_tokens": arguments.tokens,
                "gpu_memory_utilization": arguments.gpu_memory_utilization,
                "arguments": arguments.vllm_argument,
            }
            config = {
                "name": name,
                "socket": Path(held) / name,
                "model": model,
                "parallel": max(arguments.concurrency),
            }
            rows += measure(EngineConfig.model_validate(config), arguments)
    bandwidth = arguments.bandwidth_gb_s or bandwidth_gb_s(card())
    if bandwidth:
        for row in rows:
            row.of_bandwidth_bound = round(row.tokens_per_s * 2 * parameters["all"] / (bandwidth * 1e9), 3)
            row.of_text_model_bound = round(row.tokens_per_s * 2 * parameters["text"] / (bandwidth * 1e9), 3)
    print_table(rows)
    missed = missed_bars(rows) if arguments.bars else []
    for line in missed:
        print(f"missed: {line}")
    weights = str(arguments.model) if arguments.model else f"random, {arguments.random_shapes}"
    figures = {"bench": "engine", "card": card(), "weights": weights, "tokens": arguments.tokens}
    print(json.dumps({**figures, "parameters": parameters, "rows": [asdict(row) for row in rows], "missed": missed}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
