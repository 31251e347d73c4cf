#!/usr/bin/env python3
"""What the service costs over its engine, how it compares with others, and how it bears abuse.

    python3 bench/service.py [--rounds 5] [--soak 10000]

The engine alone on decoded pixels, the same engine through HTTP at concurrency 1, 4 and 16,
rapidocr_api and Tesseract (chi_sim+eng; where it is installed) read the same pages in turn, round by
round, so that a machine with other work to do is unfair to all of them alike; every figure is the
median of the rounds, every ratio a ratio of such medians. Processor time is counted as well: other
work on the machine changes it least. Added latency is the median, over the pages
of about 300 KB, of HTTP less engine, the two taken in turn, a moment apart. With --soak: so many requests, 5 % of them
bad, 1 % given up by the client, the engine killed every 200 (bench/soak.py).
Prints a table and, last, one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.contestants import (
    Reads,
    Sheet,
    Spent,
    bare_engine,
    own_processor_s,
    processor_s,
    rapidocr_api,
    sheets,
    station,
    tesseract,
)
from bench.soak import soak
from tests.integration.station import Station, running_station
from tests.pages.cer import cer

CONCURRENCIES = (1, 4, 16)
_COMPARED = 4
"""Concurrency at which the others are compared with."""
_LATENCY_PAIRS = 45
_APART_S = 0.4
"""Between one's work and the other's: threads of a network go on spinning for a while after it."""
BARE = "engine alone"


@dataclass
class Contest:
    """One contestant at one concurrency. `walls_s`, `processor_s`: for all pages, round by round."""

    name: str
    read: Reads
    spent: Spent
    concurrency: int
    walls_s: list[float] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)
    errors: dict[str, float] = field(default_factory=dict)

    def run(self, pages: Sequence[Sheet], times: int) -> None:
        """One round: each page `times` times."""
        wanted = [page for page in pages for _ in range(times)]
        spent, started = self.spent(), time.monotonic()
        with ThreadPoolExecutor(self.concurrency) as pool:
            texts = list(pool.map(self.read, wanted))
        self.walls_s.append((time.monotonic() - started) / times)
        self.processor_s.append((self.spent() - spent) / times)
        self.errors.update((page.name, cer(page.text, text)) for page, text in zip(wanted, texts, strict=True))

    def report(self, pages: Sequence[Sheet]) -> dict[str, float | int | str]:
        return {
            "name": self.name,
            "concurrency": self.concurrency,
            "pages_per_minute": round(60 * len(pages) / median(self.walls_s), 1),
            "processor_s_a_page": round(median(self.processor_s) / len(pages), 3),
            "cer": round(fmean(self.errors.values()), 4),
        }


def added_latency_ms(pages: Sequence[Sheet], bare: Reads, served: Reads) -> float:
    """Median of what HTTP adds to a photograph, in milliseconds."""
    photographs = [page for page in pages if page.photograph]
    differences = []
    for number in range(_LATENCY_PAIRS):
        page = photographs[number % len(photographs)]
        alone = _seconds(bare, page)
        time.sleep(_APART_S)
        differences.append(_seconds(served, page) - alone)
        time.sleep(_APART_S)
    return round(1000 * median(differences), 1)


def _seconds(read: Reads, page: Sheet) -> float:
    started = time.monotonic()
    read(page)
    return time.monotonic() - started


def compare(running: Station, folder: Path, rounds: int) -> dict[str, object]:
    """All contestants, in turn, after a look at the photographs that warms them up."""
    pages = sheets()
    bare, served = bare_engine(), station(running)
    root = running.supervisor.pid
    contests = [
        Contest(BARE, bare, own_processor_s, 1),
        *(Contest("inkstick", served, lambda: processor_s(root), number) for number in CONCURRENCIES),
    ]
    with rapidocr_api() as (api, spent):
        contests.append(Contest("rapidocr_api", api, spent, _COMPARED))
        if (by_tesseract := tesseract(folder)) is not None:
            contests.append(Contest("tesseract", by_tesseract, own_processor_s, _COMPARED))
        for contest in contests:
            contest.run([page for page in pages if page.photograph], 1)
            contest.walls_s.clear()
            contest.processor_s.clear()
        for number in range(1, rounds + 1):
            for contest in contests:
                contest.run(pages, 2 if contest.concurrency == max(CONCURRENCIES) else 1)
                told = f"round {number}: {contest.name} {contest.concurrency}: {contest.walls_s[-1]:.1f} s"
                print(told, file=sys.stderr, flush=True)
        added = added_latency_ms(pages, bare, served)
    ours = _of(contests, "inkstick", _COMPARED)
    others = [contest for contest in contests if contest.name not in (BARE, ours.name)]
    alone = median(_of(contests, BARE, 1).walls_s)
    return {
        "pages": [page.name for page in pages],
        "added_ms_p50": added,
        "over_bare": {
            number: round(alone / median(_of(contests, "inkstick", number).walls_s), 3) for number in CONCURRENCIES
        },
        "times_as_fast_as": {other.name: round(median(other.walls_s) / median(ours.walls_s), 2) for other in others},
        "times_as_sparing_as": {
            other.name: round(median(other.processor_s) / median(ours.processor_s), 2) for other in others
        },
        "contestants": [contest.report(pages) for contest in contests],
    }


def _of(contests: Sequence[Contest], name: str, concurrency: int) -> Contest:
    return next(contest for contest in contests if (contest.name, contest.concurrency) == (name, concurrency))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="0: no comparison")
    parser.add_argument("--soak", type=int, default=0, metavar="REQUESTS")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        with running_station(folder) as running:
            compared = compare(running, folder, arguments.rounds) if arguments.rounds else {}
        with running_station(folder) as fresh:
            soaked = soak(fresh, arguments.soak) if arguments.soak else None
    if compared:
        print(f"{'':<16}{'concurrency':>12}{'pages/min':>11}{'CPU s/page':>12}{'CER':>9}")
        for row in compared["contestants"]:  # type: ignore[attr-defined]
            print(
                f"{row['name']:<16}{row['concurrency']:>12}{row['pages_per_minute']:>11}"
                f"{row['processor_s_a_page']:>12}{row['cer']:>9}"
            )
        print(f"over the engine alone: {compared['over_bare']}; added: {compared['added_ms_p50']} ms (median)")
        print(f"times as fast at concurrency {_COMPARED}: {compared['times_as_fast_as']}")
        print(f"times as sparing of the processor: {compared['times_as_sparing_as']}")
    if soaked:
        print(f"soak: {soaked}")
    print(json.dumps({"bench": "service", "engine": "rapidocr", "cores": os.cpu_count(), **compared, "soak": soaked}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
