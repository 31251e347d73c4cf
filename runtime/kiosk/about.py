"""What is on this station: its profile, its model, and on which terms the model is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runtime.config import StationConfig

_TEXTS = {"notice": "NOTICE.txt", "terms": "TERMS.md"}
_MOST_CHARACTERS = 200_000


def told(config: StationConfig) -> dict[str, Any]:
    """Everything the page shows of it; `model` is None where there is none, a text that is missing is "".

    `licence` is the text that came with the weights; `wants_keys`: whether the REST interface does.
    """
    return {
        "profile": config.profile,
        "version": config.version,
        "engines": [engine.name for engine in config.engines],
        "model": None if config.about is None else _model(config.about),
        "licence": _licence(config),
        "wants_keys": config.auth.required,
    }


def is_synthetic(config: StationConfig) -> bool:
    """Whether the weights are random numbers in the model's shapes: such a station is for trials."""
    model = None if config.about is None else _model(config.about)
    return bool(model and model.get("synthetic"))


def _model(folder: Path) -> dict[str, Any] | None:
    try:
        about: dict[str, Any] = json.loads((folder / "about.json").read_text())
    except (OSError, ValueError):
        return None
    return {**about, **{key: _text(folder / name) for key, name in _TEXTS.items()}}


def _licence(config: StationConfig) -> str:
    folders = [engine.model.folder for engine in config.engines if engine.model is not None]
    files = [file for folder in folders for file in sorted(folder.glob("LICENSE*"))]
    return _text(files[0]) if files else ""


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")[:_MOST_CHARACTERS]
    except OSError:
        return ""
