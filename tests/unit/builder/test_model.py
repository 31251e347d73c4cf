"""The model: what may ship as one, and the stand-in with its shapes."""

from __future__ import annotations

import json
import os
import struct
from math import prod
from pathlib import Path

import pytest

from builder import licences
from builder.cache import Cache
from builder.errors import FetchError, LockError, ProfileError
from builder.inputs.lock import lock_path, read_lock
from builder.inputs.models import lock_model, restore_model
from builder.inputs.passphrase import check_passphrase
from builder.inputs.store import Store
from builder.layers.model import write_padding
from builder.layers.synthetic import SHARD_MEGABYTES, Tensor, shards, tensors, write_safetensors
from builder.plan import make_steps
from builder.profile import Profile, load_profile
from builder.profile.graphics import Weights
from builder.steps import tools


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "weights"
    place.mkdir()
    write_safetensors(place / "model.safetensors", [Tensor("a.weight", (4, 4))])
    (place / "config.json").write_text("{}")
    (place / "LICENSE").write_text("terms")
    return place


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def weights(folder: Path) -> Weights:
    return Weights(title="Test", licence="tencent-hunyuan-community", folder=folder)


def test_every_file_is_hashed_into_the_lock_and_kept(folder: Path, cache: Cache) -> None:
    (folder / "notes.md").write_text("not taken")
    locked = lock_model(weights(folder), cache)
    assert [file.name for file in locked.files] == ["LICENSE", "config.json", "model.safetensors"]
    assert all(Store(cache.store).has(file.sha256, file.size) for file in locked.files)
    assert str(folder) not in locked.model_dump_json()


def test_pickles_are_refused_by_name(folder: Path, cache: Cache) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    greedy = weights(folder).model_copy(update={"files": ["*"]})
    with pytest.raises(LockError, match=r"pytorch_model\.bin"):
        lock_model(greedy, cache)


def encrypted(folder: Path, passphrase_file: Path) -> Profile:
    profile = load_profile("4090d")
    sealed = {"passphrase_file": str(passphrase_file)}
    model = Weights.model_validate(
        {"title": "Test", "licence": "tencent-hunyuan-community", "folder": str(folder), "encrypted": sealed}
    )
    return profile.model_copy(update={"model": model})


@pytest.mark.parametrize("text", ["", "short", "口令口令口令口令口令", "a tab\tis not typed", "two\nlines of it"])
def test_a_passphrase_that_cannot_be_typed_is_refused_before_anything_is_built(
    folder: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "passphrase").write_text(text)
    with pytest.raises(ProfileError, match="can be typed"):
        check_passphrase(encrypted(folder, tmp_path / "passphrase"))


def test_a_passphrase_file_that_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="passphrase"):
        check_passphrase(encrypted(folder, tmp_path / "passphrase"))


def test_encryption_moves_model_and_initramfs_and_the_passphrase_is_in_no_key(
    folder: Path, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "tool_version", lambda name: name)
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery\n")
    sealed = encrypted(folder, file)
    assert sealed.model
    plain = sealed.model_copy(update={"model": sealed.model.model_copy(update={"encrypted": None})})
    lock = read_lock(lock_path(sealed))
    assert lock is not None
    locked = lock.model_copy(update={"model": lock_model(weights(folder), cache)})
    before, after = (
        {step.name: step for step in make_steps(profile, locked, Store(cache.store))} for profile in (plain, sealed)
    )
    assert {name for name in before if before[name].key != after[name].key} == {"model", "boot"}
    assert "horse" not in json.dumps([[step.parts, step.spec] for step in after.values()])
    os.utime(file, ns=(1, 1))
    renewed = {step.name: step.key for step in make_steps(sealed, locked, Store(cache.store))}
    assert {name for name, key in renewed.items() if after[name].key != key} == {"model"}


@pytest.mark.parametrize("content", [b"\x80\x04}q\x00.", b"", struct.pack("<Q", 4) + b"{}  more than it says"])
def test_a_file_that_only_calls_itself_safetensors_is_refused(folder: Path, cache: Cache, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(LockError, match="not a whole safetensors file"):
        lock_model(weights(folder), cache)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "LICENSE"])
def test_a_folder_without_what_must_be_there_is_refused(folder: Path, cache: Cache, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(LockError):
        lock_model(weights(folder), cache)


def test_a_store_that_lost_the_model_gets_it_back_but_never_another(folder: Path, cache: Cache) -> None:
    locked = lock_model(weights(folder), cache)
    for file in locked.files:
        Store(cache.store).path(file.sha256).unlink()
    restore_model(weights(folder), locked, cache)
    assert all(Store(cache.store).has(file.sha256, file.size) for file in locked.files)
    Store(cache.store).path(locked.files[0].sha256).unlink()
    (folder / "config.json").write_text('{"other": 1}')
    with pytest.raises(FetchError, match=r"config\.json"):
        restore_model(weights(folder), locked, cache)


def test_the_stand_in_has_the_published_size() -> None:
    assert sum(prod(tensor.shape) for tensor in tensors()) == 996_208_112
    assert len({tensor.name for tensor in tensors()}) == len(tensors())


def test_its_shards_are_within_five_megabytes_of_the_published_ones() -> None:
    sizes = [sum(tensor.size for tensor in part) / 1e6 for part in shards(tensors())]
    assert [round(size) for size in sizes] == pytest.approx(SHARD_MEGABYTES, abs=5)


def test_its_values_are_the_same_every_time_and_never_infinite(tmp_path: Path) -> None:
    part = [Tensor("vit.layers.0.mlp.weight", (64, 64)), Tensor("x_rms.weight", (4,))]
    for name in ("a", "b"):
        write_safetensors(tmp_path / name, part)
    data = (tmp_path / "a").read_bytes()
    assert data == (tmp_path / "b").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert header["x_rms.weight"]["shape"] == [4]
    exponents = {data[8 + length + place + 1] & 0x7F for place in range(0, 64 * 64 * 2, 2)}
    assert exponents == {0x3B, 0x3C}
    assert data.endswith(b"\x80\x3f" * 4)


def test_padding_brings_each_file_to_a_page(tmp_path: Path) -> None:
    for name, size in (("big", 10_000), ("small", 5), ("middle", 4096)):
        (tmp_path / name).write_bytes(b"x" * size)
    place = 96
    for path in write_padding(tmp_path):
        if not path.startswith("usr/lib/inkstick/model-padding"):
            assert place % 4096 == 0, path
        place += (tmp_path / path).stat().st_size


@pytest.fixture
def profile() -> Profile:
    return load_profile("4090d")


def test_random_weights_show_in_name_and_manifest(
    profile: Profile, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "tool_version", lambda name: name)
    assert profile.model
    random = profile.model_copy(update={"model": profile.model.instead("synthetic")})
    assert random.file_stem == f"{profile.file_stem}-synthetic"
    lock = read_lock(lock_path(profile))
    assert lock is not None
    (step,) = (step for step in make_steps(random, lock, Store(cache.store)) if step.name == "model")
    assert step.spec["about"]["synthetic"] is True


def test_weights_under_terms_wait_until_these_are_accepted_once(profile: Profile, cache: Cache) -> None:
    with pytest.raises(ProfileError) as caught:
        licences.require(profile, cache)
    assert "--accept-license tencent-hunyuan-community" in caught.value.hint
    licences.accept(["tencent-hunyuan-community"], cache)
    licences.require(profile, cache)


def test_the_terms_spell_out_territory_and_training(capsys: pytest.CaptureFixture[str]) -> None:
    text = (licences.FOLDER / "tencent-hunyuan-community/TERMS.md").read_text()
    for word in ("European Union", "United Kingdom", "South Korea", "No training", "欧盟"):
        assert word in text


def test_an_unknown_licence_is_answered_with_the_known_ones(cache: Cache) -> None:
    with pytest.raises(ProfileError) as caught:
        licences.accept(["tencent"], cache)
    assert "tencent-hunyuan-community" in caught.value.hint


def test_random_weights_and_the_demo_need_no_licence(profile: Profile, cache: Cache) -> None:
    assert profile.model
    licences.require(profile.model_copy(update={"model": profile.model.instead("synthetic")}), cache)
    licences.require(load_profile("demo"), cache)
