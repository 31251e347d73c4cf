#!/usr/bin/env python3
"""What the service costs over its engine, and whether it stays in shape under abuse.

    python3 bench/service.py [--pages 24] [--soak 400]

The bare loop is the CPU engine on decoded pixels in this process; then the same pages go through
HTTP at concurrency 1, 4 and 16, on the same machine, one after the other. Added latency is the
difference of the medians at concurrency 1. With --soak: that many requests, 5 % of them bad, 1 %
given up by the client, the engine killed every 200; memory and open files of the gateway are watched.
Prints a table and, last, one line of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import fmean, median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
import numpy as np
from PIL import Image

from runtime.engine.rapidocr_engine import RapidOcrEngine
from runtime.tasks.task import Ask, Task
from tests.integration.station import Station, running_station
from tests.pages.cer import cer
from tests.pages.render import RenderedPage, render

CONCURRENCIES = (1, 4, 16)
_KILL_EVERY = 200


def sheets() -> list[tuple[RenderedPage, bytes]]:
    """Photographed pages as JPEG, about 300 KB each."""
    made = []
    for kind in ("english", "chinese", "columns"):
        page = render(kind, faults=True, seed=7)
        held = io.BytesIO()
        page.image.save(held, "JPEG", quality=95)
        made.append((page, held.getvalue()))
    return made


def bare_loop(pages: list[tuple[RenderedPage, bytes]], count: int) -> list[float]:
    """Seconds a page, without HTTP, queue or decoding."""
    engine = RapidOcrEngine(threads=2)
    engine.load()
    arrays = [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for _, data in pages]
    seconds = []
    for number in range(-len(arrays), count):  # the first round only warms up
        started = time.monotonic()
        engine.read(arrays[number % len(arrays)], Ask(task=Task.SPOTTING), lambda _: None, threading.Event())
        if number >= 0:
            seconds.append(time.monotonic() - started)
    return seconds


def through_http(
    station: Station, pages: list[tuple[RenderedPage, bytes]], count: int, concurrency: int
) -> tuple[float, list[float], float]:
    """Wall seconds of all, seconds of each, mean character error rate."""

    def one(number: int) -> tuple[float, float]:
        page, data = pages[number % len(pages)]
        started = time.monotonic()
        answer = station.http.post("/ocr?task=text", files={"file": ("a.jpg", data, "image/jpeg")})
        answer.raise_for_status()
        return time.monotonic() - started, cer(page.text, answer.json()["text"])

    started = time.monotonic()
    with ThreadPoolExecutor(concurrency) as pool:
        found = list(pool.map(one, range(count)))
    return time.monotonic() - started, [seconds for seconds, _ in found], fmean(error for _, error in found)


def soak(station: Station, count: int) -> dict[str, float | int]:
    """Every request that was not given up must be answered, and the gateway must not grow."""
    chance = random.Random(4)
    held = io.BytesIO()
    render("slip").image.resize((450, 280)).save(held, "PNG")
    good, (gateway,) = held.getvalue(), station.pids("gateway")
    tally = {"requests": count, "answered": 0, "bad": 0, "given_up": 0, "unanswered": 0, "kills": 0}
    memory: list[int] = []
    open_files: list[int] = []
    for number in range(1, count + 1):
        if number % _KILL_EVERY == 0:
            for engine in station.pids("engine"):
                os.kill(engine, signal.SIGKILL)
            tally["kills"] += 1
        draw = chance.random()
        bad, impatient = draw < 0.05, 0.05 <= draw < 0.06
        data = good[: chance.randrange(len(good))] if bad else good
        try:
            limit = httpx.Timeout(0.02) if impatient else httpx.Timeout(300)
            answer = station.http.post("/ocr", files={"file": ("a.png", data)}, timeout=limit)
            tally["bad" if 400 <= answer.status_code < 500 else "answered"] += answer.status_code < 500
            tally["unanswered"] += answer.status_code >= 500
        except httpx.TransportError:
            tally["given_up" if impatient else "unanswered"] += 1
        memory.append(_resident_bytes(gateway))
        with contextlib.suppress(OSError):
            open_files.append(len(os.listdir(f"/proc/{gateway}/fd")))
    tenth = max(1, count // 10)
    early, late = fmean(memory[tenth : 2 * tenth]), fmean(memory[-tenth:])
    return {
        **tally,
        "memory_growth": round(late / early - 1, 4),
        "open_files_early": median(open_files[tenth : 2 * tenth]),
        "open_files_late": median(open_files[-tenth:]),
    }


def _resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=24)
    parser.add_argument("--soak", type=int, default=0, metavar="REQUESTS")
    arguments = parser.parse_args()
    pages = sheets()
    bare = bare_loop(pages, arguments.pages)
    rows: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, running_station(Path(folder)) as station:
        through_http(station, pages, len(pages), 1)
        for concurrency in CONCURRENCIES:
            wall, seconds, error = through_http(station, pages, arguments.pages, concurrency)
            rows[concurrency] = {
                "pages_per_minute": round(60 * arguments.pages / wall, 1),
                "over_bare": round(sum(bare) / wall, 3),
                "median_s": round(median(seconds), 4),
                "cer": round(error, 4),
            }
        soaked = soak(station, arguments.soak) if arguments.soak else None
    added_ms = round(1000 * (rows[1]["median_s"] - median(bare)), 1)
    print(f"bare loop: {60 * len(bare) / sum(bare):.1f} pages a minute, median {1000 * median(bare):.0f} ms")
    print(f"{'concurrency':<14}{'pages/min':>11}{'over bare':>11}{'median ms':>11}{'CER':>8}")
    for concurrency, row in rows.items():
        print(
            f"{concurrency:<14}{row['pages_per_minute']:>11}{row['over_bare']:>11}"
            f"{1000 * row['median_s']:>11.0f}{row['cer']:>8}"
        )
    print(f"added at concurrency 1: {added_ms} ms (median)")
    report = {"bench": "service", "engine": "rapidocr", "cores": os.cpu_count(), "pages": arguments.pages,
              "added_ms_p50": added_ms, "concurrency": rows, "soak": soaked}  # fmt: skip
    if soaked:
        print(f"soak: {soaked}")
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
