"""Keys and plans: what is rebuilt, what is not, and why."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from pathlib import Path

import pytest

from builder.cache import Cache
from builder.inputs.lock import Lock, LockedModel, ModelFile, Wheel, lock_path, read_lock
from builder.inputs.store import Store
from builder.keys import code_hash
from builder.plan import Plan, make_plan, why
from builder.profile import Profile, load_profile
from builder.steps import tools
from builder.steps.graphics import model_steps
from builder.steps.wheels import packed_bytes


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


def write_wheel(store: Store, files: dict[str, bytes]) -> Wheel:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    store.path(digest).parent.mkdir(parents=True)
    store.path(digest).write_bytes(content.getvalue())
    return Wheel(project="x", version="1", file_name="x.whl", size=len(content.getvalue()), sha256=digest)


def test_a_wheel_is_expected_to_take_its_packed_size_and_its_byte_code(tmp_path: Path) -> None:
    """A flat rate for all, a quarter of the unpacked size, was a third too low where machine code is most of it."""
    store = Store(tmp_path)
    random_bytes = random.Random(1).randbytes
    library = write_wheel(store, {"x.so": random_bytes(200_000)})
    assert 200_000 <= packed_bytes(library, store) <= 201_000
    source = write_wheel(store, {"x.py": b"# " + random_bytes(50_000).hex().encode()})
    assert packed_bytes(source, store) > 2.9 * source.size
    unknown = library.model_copy(update={"sha256": "f" * 64})
    assert packed_bytes(unknown, store) == library.size * 5 // 4


def test_weights_are_expected_to_take_their_size_and_their_hash_tree(lock: Lock, tmp_path: Path) -> None:
    profile = load_profile("4090d")
    assert profile.model
    files = (ModelFile(name="model.safetensors", size=2_000_000_000, sha256="a" * 64),)
    model = LockedModel(origin="local folder", commit="", licence=profile.model.licence, files=files)
    (step,) = model_steps(profile, lock.model_copy(update={"model": model}), Store(tmp_path))
    assert step.expected_bytes >= 2_000_000_000 * (1 + 32 / 4096)


def test_the_full_size_build_is_not_expected_to_be_smaller_than_it_is(tmp_path: Path) -> None:
    """Measured on 22 November 2026 on a filled store: an ISO of 7,263,873,024 bytes, 13.92 GiB at the worst."""
    profile = load_profile("4090d")
    assert profile.model
    profile = profile.model_copy(update={"model": profile.model.instead("synthetic")})
    found = read_lock(lock_path(profile))
    assert found is not None
    plan = make_plan(profile, found, Cache(tmp_path))
    assert 7_263_873_024 <= plan.iso_bytes <= 1.3 * 7_263_873_024
    assert plan.peak_bytes - plan.download_bytes >= 13.92 * 2**30


def test_room_is_wanted_for_the_largest_tree_or_the_iso_whichever_is_more(
    profile: Profile, lock: Lock, tmp_path: Path
) -> None:
    plan = make_plan(profile, lock, Cache(tmp_path))
    layers = sum(step.expected_bytes for step in plan.steps)
    largest = max(step.spec.get("tree_bytes", 0) for step in plan.steps)
    assert plan.peak_bytes - plan.download_bytes > layers + max(largest, plan.iso_bytes)
