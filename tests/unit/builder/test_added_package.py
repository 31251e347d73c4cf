"""A package added to the base: it alone is downloaded, and the layers above the base stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.cache import Cache
from builder.inputs.lock import DebianPackage, Lock, lock_path, read_lock
from builder.inputs.store import Store
from builder.plan import make_plan
from builder.profile import load_profile
from builder.steps import tools

ADDED = DebianPackage(
    name="cowsay",
    version="3.03",
    arch="all",
    archive="debian",
    path="pool/main/c/cowsay/cowsay_3.03_all.deb",
    size=21_000,
    sha256="c0" * 32,
    use="base",
)


def filled(cache: Cache, lock: Lock) -> None:
    """A store that has what `lock` pins: by name and size, which is what a plan looks at."""
    for item in lock.inputs:
        place = Store(cache.store).path(item.sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as handle:
            handle.truncate(item.size)


def test_a_package_added_to_base_downloads_itself_and_leaves_the_other_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "tool_version", lambda name: f"{name} 1.0")
    profile = load_profile("demo")
    lock = read_lock(lock_path(profile))
    assert lock is not None
    cache = Cache(tmp_path)
    filled(cache, lock)
    before = make_plan(profile, lock, cache)
    assert before.download_bytes == 0
    for step in before.steps:
        step.folder(cache).mkdir(parents=True)
        (step.folder(cache) / "done.json").write_text(f'{{"parts": {{}}, "bytes": 1, "key": "{step.key}"}}')
    later = lock.model_copy(update={"packages": (*lock.packages, ADDED)})
    after = make_plan(profile, later, cache)
    assert after.download_bytes == ADDED.size
    assert set(after.to_do) == {"base", "boot"}
