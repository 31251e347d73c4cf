"""The model's official prompts. Their wording is fixed: a changed one silently reads worse."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Literal

from runtime.tasks.task import Ask, Language, Task

Generation = Literal["1.0", "1.5"]
"""HunyuanOCR's two sets of weights; both live at one address, so a station must be told which it has."""

_FILE = Path(__file__).with_name("prompts.json")


@cache
def _prompts() -> dict[str, dict[str, dict[str, str]]]:
    loaded: dict[str, dict[str, dict[str, str]]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return loaded


def _name(ask: Ask) -> str:
    return f"translate-to-{ask.to}" if ask.task is Task.TRANSLATE else ask.task.value


def tasks_of(generation: Generation) -> tuple[Task, ...]:
    """The tasks that this generation has an official prompt for: 1.5 has none for fields and subtitles."""
    known = _prompts()[generation]
    return tuple(task for task in Task if _name(Ask.model_construct(task=task, keys=(), to="en")) in known)


def task_of_prompt(text: str) -> tuple[Task, Language] | None:
    """The task, and the language wanted of a translation, that an official prompt stands for; None for other words."""
    for prompts in _prompts().values():
        for name, wordings in prompts.items():
            if text.strip() in wordings.values() and "{keys}" not in text:
                if name.startswith("translate-to-"):
                    return Task.TRANSLATE, "zh" if name.endswith("zh") else "en"
                return Task(name), "en"
    return None


def prompt(ask: Ask, generation: Generation, language: Language) -> str:
    """The prompt for `ask`, in `language` where the generation has it, else in Chinese, its first language.

    Raises KeyError for a task that `tasks_of(generation)` does not name.
    """
    wordings = _prompts()[generation][_name(ask)]
    wording = wordings.get(language, wordings["zh"])
    keys = ", ".join(f"'{key}'" for key in ask.keys)
    return wording.replace("{keys}", f"[{keys}]")
