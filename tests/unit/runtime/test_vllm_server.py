"""vLLM's server gets the arguments that the profile's model wants, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.config import ModelConfig
from runtime.engine import vllm_engine
from runtime.engine.vllm_server import arguments

_SOCKET = Path("/run/inkstick/engines/vllm.server")


def after(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def test_by_default_nothing_listens_on_a_port_and_nothing_is_cached() -> None:
    words = arguments(ModelConfig(folder=Path("/model")), _SOCKET, 4)
    assert words[0] == "/model" and after(words, "--uds") == str(_SOCKET)
    assert "--no-enable-prefix-caching" in words and after(words, "--mm-processor-cache-gb") == "0"
    assert after(words, "--max-num-seqs") == "4" and after(words, "--generation-config") == "vllm"
    assert not {"--host", "--port", "--gpu-memory-utilization", "--speculative-config"} & set(words)


def test_what_the_card_and_the_weights_want_is_passed_on() -> None:
    model = ModelConfig(
        folder=Path("/model"),
        generation="1.5",
        context=32768,
        gpu_memory_utilization=0.78,
        safetensors_load_strategy="prefetch",
        attention_backend="FLASH_ATTN",
        draft=Path("/model/dflash"),
        arguments=["--enforce-eager"],
    )
    words = arguments(model, _SOCKET, 1)
    assert after(words, "--max-model-len") == "32768"
    assert after(words, "--gpu-memory-utilization") == "0.78"
    assert after(words, "--safetensors-load-strategy") == "prefetch"
    assert after(words, "--attention-backend") == "FLASH_ATTN"
    assert json.loads(after(words, "--speculative-config"))["model"] == "/model/dflash"
    assert words[-1] == "--enforce-eager"


@pytest.mark.parametrize("native", [True, False])
def test_only_a_vllm_with_the_models_own_code_gets_pages_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    package = tmp_path / "vllm"
    (package / "model_executor/models").mkdir(parents=True)
    (package / "__init__.py").touch()
    if native:
        (package / "model_executor/models/hunyuan_vision.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(vllm_engine, "version", lambda _: "0")
    engine = vllm_engine.VllmEngine(ModelConfig(folder=Path("/model")), _SOCKET, parallel=8)
    assert after(engine.server.command, "--max-num-seqs") == ("8" if native else "1")
