"""A station under abuse, for bench/service.py: bad files, clients that go away, an engine that is killed."""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import sys
from pathlib import Path
from statistics import fmean, median

import httpx

from tests.integration.station import Station
from tests.pages.render import render

_BAD, _IMPATIENT = 0.05, 0.01
_KILL_EVERY = 200
_PATIENCE_S = 0.02


def soak(station: Station, count: int, kill_every: int = _KILL_EVERY) -> dict[str, float | int]:
    """Send `count` small pages, one after the other, and tell what became of them.

    Every request whose client stayed must be answered: a good file with its text, a bad one with a
    reason (4xx). `memory_growth`: the gateway's resident memory over the last tenth against the second
    tenth.
    """
    chance = random.Random(4)
    good, (gateway,) = _small_page(), station.pids("gateway")
    tally = {"requests": count, "read": 0, "refused": 0, "given_up": 0, "unanswered": 0, "kills": 0}
    memory: list[int] = []
    open_files: list[int] = []
    tenth = max(1, count // 10)
    for number in range(1, count + 1):
        if number % kill_every == 0:
            for engine in station.pids("engine"):
                os.kill(engine, signal.SIGKILL)
            tally["kills"] += 1
        draw = chance.random()
        bad, impatient = draw < _BAD, _BAD <= draw < _BAD + _IMPATIENT
        data = good[: chance.randrange(len(good) // 2)] if bad else good
        try:
            limit = httpx.Timeout(_PATIENCE_S if impatient else 300.0)
            answer = station.http.post("/ocr", files={"file": ("a.png", data)}, timeout=limit)
        except httpx.TransportError:
            tally["given_up" if impatient else "unanswered"] += 1
        else:
            tally[_outcome(answer, bad=bad)] += 1
        memory.append(_resident_bytes(gateway))
        with contextlib.suppress(OSError):
            open_files.append(len(os.listdir(f"/proc/{gateway}/fd")))
        if number % tenth == 0:
            grown = f"{fmean(memory[-tenth:]) / 2**20:.1f} MiB, {median(open_files[-tenth:]):.0f} files"
            print(f"soak: {number} of {count}: {tally}, {grown}", file=sys.stderr, flush=True)
    early, late = fmean(memory[tenth : 2 * tenth]), fmean(memory[-tenth:])
    return {
        **tally,
        "memory_early_bytes": round(early),
        "memory_late_bytes": round(late),
        "memory_growth": round(late / early - 1, 4),
        "open_files_early": median(open_files[tenth : 2 * tenth]),
        "open_files_late": median(open_files[-tenth:]),
    }


def _outcome(answer: httpx.Response, *, bad: bool) -> str:
    if bad:
        return "refused" if 400 <= answer.status_code < 500 else "unanswered"
    return "read" if answer.status_code == 200 and "hook" in answer.text else "unanswered"


def _small_page() -> bytes:
    page = render("note").image
    held = io.BytesIO()
    page.crop((0, 0, page.width, page.height * 2 // 5)).save(held, "PNG")
    return held.getvalue()


def _resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
