"""What an engine refuses to load, and what it says of answers that are cut short."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runtime.engine.prompted import PromptedEngine
from runtime.engine.transformers_engine import TransformersEngine
from runtime.tasks.task import Ask, Task
from tests.engines.tiny import FOLDER, known, model


def read(engine: PromptedEngine, name: str, ask: Ask) -> tuple[str, tuple[str, ...]]:
    with Image.open(FOLDER / f"pages/{name}.png") as page:
        pixels = np.asarray(page.convert("RGB"), np.uint8)
    result = engine.read(pixels, ask, lambda _: None, threading.Event())
    return result.text, result.warnings


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "model"))


def test_an_answer_at_the_token_limit_says_that_it_is_cut_short() -> None:
    engine = TransformersEngine(model(max_tokens=8))
    engine.load()
    assert read(engine, "lines-0", Ask()) == ("RECORDS", ("truncated",))
    assert read(engine, "slip-0", Ask(task=Task.FIELDS, keys=("NO",)))[1] == ("truncated", "unparsed")


def test_english_prompts_are_answered_alike() -> None:
    engine = TransformersEngine(model(prompts="en"))
    engine.load()
    page = next(page for page in known() if page.ask.task is Task.TEXT)
    assert read(engine, page.page, page.ask) == (page.answer, ())


def test_weights_in_pickles_are_refused(copied: Path) -> None:
    (copied / "extra.bin").write_bytes(b"")
    with pytest.raises(ValueError, match=r"extra\.bin"):
        TransformersEngine(model(folder=copied)).load()


def test_a_folder_without_weights_is_named(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="safetensors"):
        TransformersEngine(model(folder=copied)).load()


def test_a_model_that_does_not_read_the_golden_page_is_not_ready(copied: Path) -> None:
    weights = copied / "model.safetensors"
    data = bytearray(weights.read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    noise = np.random.default_rng(1).normal(0, 0.1, (len(data) - start) // 4).astype(np.float32)
    data[start:] = noise.tobytes()
    weights.write_bytes(data)
    with pytest.raises(RuntimeError, match="golden"):
        TransformersEngine(model(folder=copied)).load()


def test_the_second_generation_says_why_it_has_no_fields() -> None:
    engine = TransformersEngine(model(generation="1.5"))
    assert Task.FIELDS not in engine.tasks() and "1.5" in engine.why_not() and "fields" in engine.why_not()
