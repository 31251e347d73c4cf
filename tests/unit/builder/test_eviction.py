"""What goes from a full cache, or when `clean` is told to: the longest unused, never what a build needs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from builder import eviction
from builder.build import _keep_to_limit
from builder.cache import Cache
from builder.cleaning import clean
from builder.errors import HostError
from builder.inputs.lock import lock_path, read_lock
from builder.plan import make_plan
from builder.profile import load_profile
from builder.steps import tools

MEBIBYTE = 1 << 20
DAY = 86400.0
NOW = 1_000_000_000.0


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Three results of `base`, two of `station`, a download, a log: each a mebibyte, each of another age."""
    made = Cache(tmp_path)
    ages = {"base-a": 1, "base-b": 20, "base-c": 40, "station-d": 2, "station-e": 50}
    for name, days in ages.items():
        layer(made.layers / name, NOW - days * DAY)
    write(made.store / "ff" / ("ff" * 32), NOW - 30 * DAY)
    write(made.logs / "base.log", NOW - 60 * DAY)
    return made


def layer(folder: Path, used: float) -> None:
    write(folder / "image.squashfs", used)
    (folder / "done.json").write_text('{"parts": {}, "bytes": 1}')
    os.utime(folder / "done.json", (used, used))


def write(file: Path, used: float) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(os.urandom(MEBIBYTE))
    os.utime(file, (used, used))


def results(cache: Cache) -> set[str]:
    return {folder.name for folder in cache.layers.iterdir()}


def test_the_longest_unused_goes_until_the_rest_fits(cache: Cache) -> None:
    gone = eviction.make_room(cache, needed_bytes=MEBIBYTE, keep=set(), limit_bytes=4 * MEBIBYTE + MEBIBYTE // 2)
    assert [entry.path.name for entry in gone] == ["station-e", "base-c", "ff" * 32]
    assert results(cache) == {"base-a", "base-b", "station-d"}


def test_what_the_build_needs_stays_however_small_the_limit(cache: Cache) -> None:
    keep = {cache.layers / "station-e", cache.store / "ff" / ("ff" * 32)}
    eviction.make_room(cache, needed_bytes=99 * MEBIBYTE, keep=keep, limit_bytes=1)
    assert results(cache) == {"station-e"}
    assert (cache.store / "ff" / ("ff" * 32)).exists()


def test_a_limit_of_nothing_is_none(cache: Cache) -> None:
    assert eviction.make_room(cache, needed_bytes=10**15, keep=set(), limit_bytes=0) == []


def test_a_build_evicts_neither_its_layers_nor_its_inputs(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the real demo lock, with a limit that nothing fits."""
    monkeypatch.setattr(tools, "tool_version", lambda name: f"{name} 1.0")
    monkeypatch.setenv(eviction.LIMIT, "1M")
    profile = load_profile("demo")
    lock = read_lock(lock_path(profile))
    assert lock is not None
    plan = make_plan(profile, lock, cache)
    needed = plan.step("base").folder(cache)
    layer(needed, NOW - 99 * DAY)
    wheel = lock.wheels[0]
    content = cache.store / wheel.sha256[:2] / wheel.sha256
    write(content, NOW - 99 * DAY)
    _keep_to_limit(plan, cache)
    assert results(cache) == {needed.name}
    assert content.exists() and content.stat().st_mtime > NOW
    assert not (cache.store / "ff" / ("ff" * 32)).exists()


def test_anothers_store_is_not_touched(cache: Cache, tmp_path: Path) -> None:
    other = Cache(tmp_path / "other")
    other.root.mkdir()
    other.store.symlink_to(cache.store)
    eviction.make_room(other, needed_bytes=1, keep=set(), limit_bytes=1)
    clean(other, everything=True, older_than=None, keep=None)
    assert (cache.store / "ff" / ("ff" * 32)).exists()


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"older_than": "30d"}, {"base-a", "base-b", "station-d"}),
        ({"keep": "1"}, {"base-a", "station-d"}),
        ({"keep": "2"}, {"base-a", "base-b", "station-d", "station-e"}),
        ({"keep": "2500K"}, {"base-a", "station-d"}),
        ({"older_than": "45d", "keep": "1"}, {"base-a", "base-b", "base-c", "station-d", "station-e"}),
        ({}, set()),
    ],
)
def test_clean_keeps_what_it_is_told_to(cache: Cache, options: dict[str, str], left: set[str]) -> None:
    asked = {"older_than": None, "keep": None, **options}
    going = eviction.chosen(cache, everything=False, older_than=asked["older_than"], keep=asked["keep"], now=NOW)
    for entry in going:
        eviction.remove(entry)
    assert results(cache) == left
    assert (cache.store / "ff" / ("ff" * 32)).exists(), "downloads go with --all alone"


def test_clean_says_what_it_freed(cache: Cache, capsys: pytest.CaptureFixture[str]) -> None:
    write(cache.work / "base/root/half", NOW)
    clean(cache, everything=False, older_than=None, keep="1")
    said = capsys.readouterr().out
    assert "layers: 3, 3.0 MiB" in said and "unfinished work: 1.0 MiB" in said and "freed 4.0 MiB" in said


@pytest.mark.parametrize(
    "call", [lambda: eviction.parse_span("a month"), lambda: eviction.parse_size("much", "--keep")]
)
def test_nonsense_is_refused_with_an_example(call: Callable[[], object]) -> None:
    with pytest.raises(HostError) as caught:
        call()
    assert "as in" in caught.value.hint
