"""What full-size tests share: the 4090d build with random weights. Hours cold, seconds where it is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.build import build
from builder.cache import Cache, default_cache, exclusive
from builder.inputs.lock import lock_path, read_lock
from builder.plan import Plan, make_plan
from builder.profile import Profile, load_profile
from tests.full.stack import Stack


@pytest.fixture(scope="session")
def profile() -> Profile:
    loaded = load_profile("4090d")
    assert loaded.model
    return loaded.model_copy(update={"model": loaded.model.instead("synthetic")})


@pytest.fixture(scope="session")
def cache() -> Cache:
    return default_cache()


@pytest.fixture(scope="session")
def iso(profile: Profile, cache: Cache) -> Path:
    with exclusive(cache):
        return build(profile, cache).iso


@pytest.fixture(scope="session")
def plan(profile: Profile, cache: Cache, iso: Path) -> Plan:
    lock = read_lock(lock_path(profile))
    assert lock is not None
    return make_plan(profile, lock, cache)


@pytest.fixture(scope="session")
def stack(plan: Plan, cache: Cache, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    images = tuple(step.folder(cache) / "image.squashfs" for step in plan.layers)
    return Stack(images, tmp_path_factory.mktemp("stack"))
