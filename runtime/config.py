"""The station's configuration: one JSON file, rendered from the profile when the image is built.

The same file drives `build.py serve`, so a program behaves alike on a stick and on a desk.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, PositiveInt

DEFAULT_PATH = Path("/etc/inkstick/station.json")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listener(_Strict):
    """A TCP address; `host` is a loopback address unless the profile opens a LAN."""

    host: str
    port: int


class Limits(_Strict):
    """What one request may ask for. Over a limit is a 4xx answer, never a crash."""

    upload_bytes: PositiveInt = 64 * 1024 * 1024
    page_pixels: PositiveInt = 64_000_000
    queue_pages: PositiveInt = 500
    queue_bytes: PositiveInt = 512 * 1024 * 1024
    """Files held in memory while they wait."""
    request_timeout_s: PositiveInt = 600
    """For one page, from its turn in the queue on, restarts of the engine included."""
    engine_wait_s: PositiveInt = 180
    """How long a page waits for an engine to be ready before it is sent back."""


class EngineConfig(_Strict):
    """One engine process. `socket` is the Unix socket it answers on."""

    name: str
    socket: Path
    threads: int = 0
    """0: as many as there are cores."""


class StationConfig(_Strict):
    """Everything the programs on the station need to know.

    `engines` is the ladder: the first that is ready reads the page.
    `media_socket` is None where there is no media helper (`serve` without sticks).
    `milestones` is the device or file that gets one line a milestone; "-" is standard error.
    `painted_flag` is made by the gateway when the kiosk has reported its first paint: the
    engine's unit waits for it, so that model loading does not slow the first picture down.
    """

    profile: str
    version: str
    ui: Listener
    api: Listener
    engines: list[EngineConfig]
    media_socket: Path | None = None
    milestones: str = "-"
    painted_flag: Path | None = None
    language: str = "zh"
    kiosk: bool = True
    limits: Limits = Limits()


def load(path: Path | None = None) -> StationConfig:
    """Read the configuration from `path`, else $INKSTICK_CONFIG, else /etc/inkstick/station.json.

    Raises OSError if it cannot be read and pydantic.ValidationError if it does not fit.
    """
    chosen = path or Path(os.environ.get("INKSTICK_CONFIG", DEFAULT_PATH))
    return StationConfig.model_validate_json(chosen.read_bytes())
