"""The configuration of a station with nothing to it but its page."""

from __future__ import annotations

from typing import Any

from runtime.config import Listener, StationConfig


def configured(**more: Any) -> StationConfig:
    """With `more` of StationConfig's fields."""
    ui, api = Listener(host="127.0.0.1", port=7860), Listener(host="127.0.0.1", port=8000)
    return StationConfig(profile="test", version="0", ui=ui, api=api, engines=[], **more)
