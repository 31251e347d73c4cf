"""Weights from a hub: through its own client, at a commit, into lock and store."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.cache import Cache, default_cache
from builder.errors import StepError
from builder.inputs.models import lock_model
from builder.layers.synthetic import Tensor, write_safetensors
from builder.profile.graphics import Weights
from tests.integration.fake_hub import COMMIT, hub


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """A cache of its own, with the environments that are there already."""
    made = Cache(tmp_path / "cache")
    made.store.mkdir(parents=True)
    (default_cache().root / "venv").mkdir(parents=True, exist_ok=True)
    (made.root / "venv").symlink_to(default_cache().root / "venv")
    return made


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    write_safetensors(tmp_path / "w", [Tensor("a.weight", (4, 4))])
    return {
        "model.safetensors": (tmp_path / "w").read_bytes(),
        "config.json": b"{}",
        "LICENSE": b"terms",
        "README.md": b"not taken",
        "v1.0/model.safetensors": b"another model",
        "training_args.bin": b"a pickle that nothing asks for",
    }


def weights(commit: str) -> Weights:
    return Weights(title="Test", licence="tencent-hunyuan-community", huggingface="a/b", commit=commit)


def test_a_repository_is_taken_at_its_commit_and_without_the_rest(
    cache: Cache, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(files) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        locked = lock_model(weights("f6af82ee"), cache)
    assert locked.commit == COMMIT
    assert [file.name for file in locked.files] == ["LICENSE", "config.json", "model.safetensors"]


def test_the_profiles_mirror_is_asked_where_the_environment_names_none(
    cache: Cache, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    with hub(files) as address:
        locked = lock_model(weights("f6af82ee"), cache, mirror=f"{address}/")
    assert locked.commit == COMMIT


def test_a_commit_that_the_hub_does_not_have_is_refused(
    cache: Cache, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(files) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(StepError, match="has no commit 12345678"):
            lock_model(weights("12345678"), cache)


def test_the_other_hub_is_asked_by_its_own_client(
    cache: Cache, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Weights(title="Test", licence="tencent-hunyuan-community", modelscope="a/b", commit=COMMIT)
    with hub(files) as address:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", address)
        monkeypatch.setenv("MODELSCOPE_CACHE", str(cache.root / "modelscope"))
        locked = lock_model(wanted, cache)
    assert locked.commit == COMMIT and locked.origin == "modelscope a/b"
    assert [file.name for file in locked.files] == ["LICENSE", "config.json", "model.safetensors"]
