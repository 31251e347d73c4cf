"""How long a batch will take yet, from the pages that it has read."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

_RECENT = 20


def time_left_s(taken_s: Sequence[float], waiting: int, in_hand_s: Sequence[float], at_a_time: int) -> float | None:
    """None while no page was read. `taken_s`: by pages that were. `in_hand_s`: so far, by those being read.

    A page in hand is taken for one of those that took longer than it has by now. One that has outlasted them
    all may take as long again: what lasts has shown that it does, and nothing tells when it ends.
    """
    recent = taken_s[-_RECENT:]
    if not recent:
        return None
    rests = [_rest_s(recent, passed_s) for passed_s in in_hand_s]
    shared = (waiting * fmean(recent) + sum(rests)) / max(1, at_a_time)
    return max(shared, *rests) if rests else shared


def _rest_s(recent: Sequence[float], passed_s: float) -> float:
    longer = [seconds - passed_s for seconds in recent if seconds > passed_s]
    return fmean(longer) if longer else passed_s
