"""What a build will take: bytes on each disk at the worst moment, seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from builder.cache import Cache
from builder.history import Past, read
from builder.layers.tree import fits_in_memory
from builder.reasons import nearest
from builder.steps.step import Step

ISO_BYTES = 33_000_000
"""The ISO's own: EFI system partition, GRUB, file system tables."""

_LOGS_BYTES = 8_000_000
_PER_S = {"base": 15e6, "modules": 6e6, "model": 100e6, "boot": 8e6, "iso": 300e6, "verify": 400e6, "fetch": 20e6}
_PACKED_PER_S = 25e6
"""Bytes of work a second where no earlier build tells: two cores of 2020."""


@dataclass(frozen=True)
class Disk:
    """Bytes at the worst moment. `store`: downloads, which stay. `results`: finished layers, which stay, and the one
    being written. `scratch`: trees that do not fit in memory, what the ISO is staged from. `dist`: the ISO.
    `total`: the worst moment of all together, where they share a disk.
    """

    store: int
    results: int
    scratch: int
    dist: int
    total: int


def result_bytes(step: Step, cache: Cache) -> int:
    """Of the step's result: as it is, else as the nearest earlier one, in proportion to what inputs let expect."""
    found = nearest(step, cache)
    if found is None:
        return step.expected_bytes
    bytes_, expected = int(found["bytes"]), int(found.get("expected", 0))
    if found.get("key") == step.key or not expected:
        return bytes_
    return bytes_ * step.expected_bytes // expected


def disk(doing: Sequence[Step], sizes: Mapping[str, int], *, download: int, iso: int) -> Disk:
    """`sizes`: of the results of all steps, by name. Steps run one after the other, then the ISO is written."""
    so_far, worst, scratch = 0, 0, 0
    for step in doing:
        tree = _tree_on_disk(step)
        so_far += sizes[step.name]
        scratch = max(scratch, tree)
        worst = max(worst, so_far + tree)
    staging = ISO_BYTES + sizes["boot"]
    scratch = max(scratch, staging)
    worst = max(worst, so_far + staging + iso) + _LOGS_BYTES
    return Disk(store=download, results=so_far + _LOGS_BYTES, scratch=scratch, dist=iso, total=download + worst)


def _tree_on_disk(step: Step) -> int:
    tree = int(step.spec.get("tree_bytes", 0))
    return 0 if step.in_memory and fits_in_memory(tree) else tree


def load_bytes(step: Step) -> int:
    """How much work a step is."""
    return int(step.spec.get("tree_bytes", 0)) or step.expected_bytes


def seconds(doing: Sequence[Step], cache: Cache, *, download: int, iso: int) -> float:
    """By what earlier builds on this machine took, in proportion; else by what two cores usually do."""
    past = read(cache)
    work = [(step.name, load_bytes(step)) for step in doing]
    work += [("fetch", download), ("iso", iso), ("verify", iso)]
    return sum(_seconds(name, bytes_, past) for name, bytes_ in work)


def _seconds(name: str, bytes_: int, past: Mapping[str, Past]) -> float:
    before = past.get(name)
    if before is not None and before.bytes > 0:
        return before.seconds * bytes_ / before.bytes
    return bytes_ / _PER_S.get(name, _PACKED_PER_S)
