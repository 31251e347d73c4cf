"""Layers of wheels: each wheel in one of them, by rules that another wheel's change does not move."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.cache import Cache
from builder.inputs.lock import Lock, Wheel, lock_path, read_lock
from builder.plan import make_plan
from builder.profile import Profile, load_profile
from builder.steps import tools
from builder.steps.wheels import part

FAT32_LIMIT = 1 << 32


@pytest.fixture
def profile() -> Profile:
    loaded = load_profile("4090d")
    assert loaded.model
    return loaded.model_copy(update={"model": loaded.model.instead("synthetic")})


@pytest.fixture
def lock(profile: Profile) -> Lock:
    found = read_lock(lock_path(profile))
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "tool_version", lambda name: f"{name} 1.0")


def keys(profile: Profile, lock: Lock, cache: Cache) -> dict[str, str]:
    return {step.name: step.key for step in make_plan(profile, lock, cache).steps}


def moved(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name, key in before.items() if after[name] != key}


def test_every_wheel_is_in_exactly_one_layer(profile: Profile, lock: Lock) -> None:
    placed = [(wheel.site, wheel.project) for wheels in part(profile.python, lock.wheels).values() for wheel in wheels]
    assert sorted(placed) == sorted((wheel.site, wheel.project) for wheel in lock.wheels)


def test_no_layer_of_wheels_can_reach_4_gib(profile: Profile, lock: Lock) -> None:
    """Packed wheels are about as large as the compressed layer; twice that still fits."""
    for name, wheels in part(profile.python, lock.wheels).items():
        assert 2 * sum(wheel.size for wheel in wheels) < FAT32_LIMIT, name


@pytest.mark.parametrize(
    ("project", "layer"),
    [
        ("nvidia-cudnn-cu12", "python-cudnn"),
        ("nvidia-nccl-cu12", "python-cuda"),
        ("torch", "python-torch"),
        ("vllm", "python-vllm"),
        ("numpy", "python"),
    ],
)
def test_a_changed_wheel_moves_its_own_layer_alone(
    profile: Profile, lock: Lock, tmp_path: Path, project: str, layer: str
) -> None:
    changed = tuple(
        wheel.model_copy(update={"sha256": "f" * 64, "version": "999"}) if wheel.project == project else wheel
        for wheel in lock.wheels
    )
    cache = Cache(tmp_path)
    later = lock.model_copy(update={"wheels": changed})
    assert moved(keys(profile, lock, cache), keys(profile, later, cache)) == {layer}


def test_a_new_wheel_moves_the_layer_that_takes_it_alone(profile: Profile, lock: Lock, tmp_path: Path) -> None:
    new = Wheel(project="nvidia-new-cu12", version="1", file_name="n-1-py3-none-any.whl", size=1, sha256="e" * 64)
    cache = Cache(tmp_path)
    later = lock.model_copy(update={"wheels": (*lock.wheels, new)})
    assert moved(keys(profile, lock, cache), keys(profile, later, cache)) == {"python-cuda"}


def test_a_renewed_browser_leaves_modules_wheels_and_model_alone(profile: Profile, lock: Lock, tmp_path: Path) -> None:
    renewed = tuple(
        package.model_copy(update={"sha256": "f" * 64}) if package.name == "chromium" else package
        for package in lock.packages
    )
    later = lock.model_copy(update={"packages": renewed, "source_date_epoch": lock.source_date_epoch + 9})
    cache = Cache(tmp_path)
    assert moved(keys(profile, lock, cache), keys(profile, later, cache)) == {"base", "driver", "boot"}


def test_the_engine_of_its_own_environment_brings_only_what_differs(profile: Profile, lock: Lock) -> None:
    shared = {wheel.sha256 for wheel in lock.wheels if wheel.site == "python"}
    own = [wheel for wheel in lock.wheels if wheel.site == "transformers"]
    assert "transformers" in {wheel.project for wheel in own}
    assert "torch" not in {wheel.project for wheel in own}
    assert not shared & {wheel.sha256 for wheel in own}


def test_what_is_left_out_is_told_with_its_rule_and_size(profile: Profile, lock: Lock) -> None:
    rules = {row.rule for row in lock.left_out}
    assert set(profile.python.left_out) <= rules
    taken = {wheel.project for wheel in lock.wheels}
    assert all(row.project not in taken and row.size > 0 for row in lock.left_out)
