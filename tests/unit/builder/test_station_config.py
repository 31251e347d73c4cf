"""What the builder renders, the station's own programs read."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment, StrictUndefined

from builder.keys import ROOT
from builder.profile.load import available, load_profile
from builder.steps.debian import seen_by_templates
from runtime.config import StationConfig

TEMPLATE = ROOT / "overlay/rootfs/etc/inkstick/station.json.j2"


def rendered(name: str) -> StationConfig:
    seen = seen_by_templates(load_profile(name))
    text = Environment(undefined=StrictUndefined).from_string(TEMPLATE.read_text()).render(profile=seen)
    return StationConfig.model_validate_json(text)


@pytest.mark.parametrize("name", available())
def test_every_profiles_configuration_is_understood(name: str) -> None:
    assert [engine.name for engine in rendered(name).engines] == list(load_profile(name).engines)


def test_the_engines_of_a_card_know_where_the_model_lies() -> None:
    models = {engine.name: engine.model for engine in rendered("4090d").engines}
    assert models["vllm"] and models["vllm"].folder == Path("/usr/lib/inkstick/model")
    assert models["vllm"].gpu_memory_utilization == 0.78
    assert models["transformers"] and models["rapidocr"] is None


def test_the_newer_model_runs_with_its_draft() -> None:
    (vllm, *_) = rendered("4090d-cuda13").engines
    assert vllm.model and vllm.model.draft == Path("/usr/lib/inkstick/model/dflash")
    assert vllm.model.generation == "1.5"
