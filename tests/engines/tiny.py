"""The tiny checkpoint, its pages, and what it says to them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.config import ModelConfig
from runtime.tasks.task import Ask, Task

FOLDER = Path(__file__).parents[1] / "fixtures/hunyuan-tiny"
MENDED = {"PYTHONPATH": str(Path(__file__).parent / "site"), "OMP_WAIT_POLICY": "PASSIVE"}
"""For every process that imports torchvision or vLLM: see site/sitecustomize.py."""
MODEL: dict[str, Any] = {
    "folder": str(FOLDER),
    "dtype": "float32",
    "device": "cpu",
    "context": 4096,
    "max_tokens": 3000,
    "arguments": ["--enforce-eager"],
    "environment": {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "2"},
}


def model(**changes: Any) -> ModelConfig:
    """MODEL, as the engines take it."""
    return ModelConfig.model_validate(MODEL | changes)


@dataclass(frozen=True)
class Known:
    """What the model was taught to say. `language`: of the prompt that it was taught with."""

    page: str
    ask: Ask
    language: str
    answer: str

    @property
    def png(self) -> bytes:
        return (FOLDER / f"pages/{self.page}.png").read_bytes()

    @property
    def query(self) -> dict[str, Any]:
        """For `POST /ocr`."""
        return {"detail": "full", "task": self.ask.task.value, "keys": list(self.ask.keys), "to": self.ask.to}


def known() -> list[Known]:
    """Everything it was taught with a Chinese prompt, but the page at which it never stops."""
    listed = json.loads((FOLDER / "pages/answers.json").read_text())
    every = [Known(each["page"], Ask(**each["ask"]), each["language"], each["answer"]) for each in listed]
    return [each for each in every if each.language == "zh" and each.page != "loop"]


LOOP = Known("loop", Ask(task=Task.TABLE), "zh", "")
