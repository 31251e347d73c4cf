"""Keys and plans: what is rebuilt, what is not, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builder.cache import Cache
from builder.inputs.lock import Lock, lock_path, read_lock
from builder.keys import code_hash
from builder.plan import Plan, make_plan, why
from builder.profile import Profile, load_profile
from builder.steps import tools


@pytest.fixture
def profile() -> Profile:
    return load_profile("demo")


@pytest.fixture
def lock(profile: Profile) -> Lock:
    found = read_lock(lock_path(profile))
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "tool_version", lambda name: f"{name} 1.0")


def keys(plan: Plan) -> dict[str, str]:
    return {step.name: step.key for step in plan.steps}


def changed(before: Plan, after: Plan) -> set[str]:
    return {name for name, key in keys(before).items() if keys(after)[name] != key}


def test_equal_inputs_have_equal_keys(profile: Profile, lock: Lock, tmp_path: Path) -> None:
    assert keys(make_plan(profile, lock, Cache(tmp_path / "a"))) == keys(
        make_plan(profile, lock, Cache(tmp_path / "b"))
    )


def test_a_renewed_package_leaves_python_and_station_alone(profile: Profile, lock: Lock, tmp_path: Path) -> None:
    renewed = [
        package.model_copy(update={"version": "999", "sha256": "f" * 64}) if package.name == "chromium" else package
        for package in lock.packages
    ]
    later = lock.model_copy(update={"packages": tuple(renewed), "source_date_epoch": lock.source_date_epoch + 9})
    cache = Cache(tmp_path)
    assert changed(make_plan(profile, lock, cache), make_plan(profile, later, cache)) == {"base", "boot"}


def test_another_wheel_rebuilds_the_python_layer_alone(profile: Profile, lock: Lock, tmp_path: Path) -> None:
    first, *rest = lock.wheels
    later = lock.model_copy(update={"wheels": (first.model_copy(update={"sha256": "f" * 64}), *rest)})
    cache = Cache(tmp_path)
    assert changed(make_plan(profile, lock, cache), make_plan(profile, later, cache)) == {"python"}


def test_another_port_rebuilds_the_station_layer_alone(profile: Profile, lock: Lock, tmp_path: Path) -> None:
    other = profile.model_copy(update={"ui_port": 7999})
    cache = Cache(tmp_path)
    assert changed(make_plan(profile, lock, cache), make_plan(other, lock, cache)) == {"station"}


def test_a_layers_own_code_is_in_its_key(
    profile: Profile, lock: Lock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path)
    before = make_plan(profile, lock, cache)
    real = code_hash
    monkeypatch.setattr(
        tools, "code_hash", lambda *names: real(*names) + ("x" if "builder/layers/base.py" in names else "")
    )
    assert changed(before, make_plan(profile, lock, cache)) == {"base", "boot"}


def test_the_plan_names_the_input_that_changed(profile: Profile, lock: Lock, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    step = make_plan(profile, lock, cache).step("python")
    assert why(step, cache) == "not built yet"
    done = step.folder(cache)
    done.mkdir(parents=True)
    older = {**step.parts, "wheels": {**step.parts["wheels"], "numpy": "1.0.0 abc"}}
    (done / "done.json").write_text(json.dumps({"parts": older, "bytes": 1}))
    version = step.parts["wheels"]["numpy"].split()[0]
    assert why(step, cache) == f"wheels: numpy 1.0.0 -> {version}"


def test_everything_is_to_be_downloaded_into_an_empty_store(profile: Profile, lock: Lock, tmp_path: Path) -> None:
    total = sum({item.sha256: item.size for item in lock.inputs}.values())
    assert make_plan(profile, lock, Cache(tmp_path)).download_bytes == total


def test_a_layer_is_expected_to_be_as_large_as_it_was_last_time(profile: Profile, lock: Lock, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    guessed = make_plan(profile, lock, cache).iso_bytes
    for name, size in (("python-torch", 9_000_000_000), ("python", 1_000_000_000)):
        record = cache.layers / f"{name}-{'0' * 20}" / "done.json"
        record.parent.mkdir(parents=True)
        record.write_text(json.dumps({"parts": {}, "bytes": size}))
    expected = make_plan(profile, lock, cache).iso_bytes
    assert 0 < expected - guessed < 1_000_000_000
