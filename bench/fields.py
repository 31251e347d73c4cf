#!/usr/bin/env python3
"""Field F1 of the CPU engine's layout-based extractor on rendered cards, slips and invoices.

    python3 bench/fields.py [--seeds 3] [--only FORM] [--show]

Each form is read clean and mishandled (stamp, skew, shadow, perspective, blur, noise, JPEG), its
kind chosen by content. A field counts when its value equals the truth after NFKC and without white
space. Prints a table and, last, one line of JSON; exit code 1 below 0.95 clean or 0.85 degraded.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
from PIL import Image

from runtime.fields.squeezed import squeezed
from tests.integration.station import running_station
from tests.pages.faults import mishandled
from tests.pages.forms import FORMS, form_page

BOUNDS = {"clean": 0.95, "degraded": 0.85}


@dataclass
class Tally:
    """Fields right, fields given that are wrong or not there, fields of the truth not given right."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, truth: dict[str, str], read: dict[str, str]) -> None:
        right = sum(squeezed(read.get(key, "")) == squeezed(value) for key, value in truth.items())
        self.right += right
        self.wrong += len(read) - right
        self.missed += len(truth) - right

    def join(self, other: Tally) -> None:
        self.right, self.wrong, self.missed = (
            self.right + other.right,
            self.wrong + other.wrong,
            self.missed + other.missed,
        )

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)


def read(station: httpx.Client, image: Image.Image) -> tuple[str, dict[str, str]]:
    """The form's name as chosen, "" for none, and its fields."""
    held = io.BytesIO()
    image.save(held, "PNG")
    answer = station.post("/ocr", params={"detail": "full"}, files={"file": ("page.png", held.getvalue())})
    answer.raise_for_status()
    page = answer.json()
    return (page["form"]["form"], page["fields"]) if page["form"] else ("", {})


def measure(station: httpx.Client, names: list[str], seeds: int, show: bool) -> dict[str, dict[str, Tally]]:
    tallies: dict[str, dict[str, Tally]] = {}
    for name in names:
        row = tallies[name] = {kind: Tally() for kind in BOUNDS}
        for seed in range(seeds):
            page = form_page(name, seed)
            for kind, image in (("clean", page.image), ("degraded", mishandled(page.image, seed))):
                chosen, values = read(station, image)
                row[kind].add(page.fields, values if chosen == name else {})
                if show:
                    report_misses(f"{name} {seed} {kind} as {chosen or 'no form'}", page.fields, values)
    return tallies


def report_misses(title: str, truth: dict[str, str], read: dict[str, str]) -> None:
    for key in {**truth, **read}:
        if squeezed(truth.get(key, "")) != squeezed(read.get(key, "")):
            print(f"{title}: {key}: wanted {truth.get(key)!r}, read {read.get(key)!r}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=sorted(FORMS))
    parser.add_argument("--show", action="store_true", help="print what was read wrong")
    arguments = parser.parse_args()
    names = [arguments.only] if arguments.only else list(FORMS)
    with tempfile.TemporaryDirectory() as folder, running_station(Path(folder)) as station:
        tallies = measure(station.http, names, arguments.seeds, arguments.show)
    totals = {kind: Tally() for kind in BOUNDS}
    print(f"{'form':<20}{'clean F1':>10}{'degraded F1':>13}")
    for name, row in tallies.items():
        print(f"{name:<20}{row['clean'].f1:>10.3f}{row['degraded'].f1:>13.3f}")
        for kind, tally in row.items():
            totals[kind].join(tally)
    scores = {kind: round(tally.f1, 4) for kind, tally in totals.items()}
    print(f"{'all':<20}{scores['clean']:>10.3f}{scores['degraded']:>13.3f}")
    forms = {name: {kind: round(tally.f1, 4) for kind, tally in row.items()} for name, row in tallies.items()}
    pages = 2 * arguments.seeds * len(tallies)
    print(json.dumps({"bench": "fields", "engine": "rapidocr", "pages": pages, "f1": scores, "forms": forms}))
    return 0 if all(scores[kind] >= bound for kind, bound in BOUNDS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
