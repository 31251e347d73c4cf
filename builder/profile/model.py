"""The schema of a profile. Unknown keys are errors: a typing mistake must not build a wrong stick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]*$")]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Debian(_Strict):
    """Packages of the `base` layer, in named groups so that a child profile can change one group.

    `mirror`: where the archive is; None takes the one in this machine's own apt sources.
    `boot_packages` are unpacked for GRUB and shim, and are not on the station.
    """

    suite: Literal["trixie"] = "trixie"
    mirror: str | None = None
    security_mirror: str | None = None
    packages: dict[str, list[Name]]
    boot_packages: list[Name]


class Cut(_Strict):
    """Paths left out of a layer, under a name, with the reason. Paths are globs from the root."""

    reason: str
    paths: list[str]


class Python(_Strict):
    """Wheels of the `python` layer, as requirement files relative to the project's root."""

    version: Literal["3.13"] = "3.13"
    requirements: Path
    overrides: Path | None = None

    @field_validator("requirements", "overrides", mode="before")
    @classmethod
    def _path(cls, value: object) -> object:
        return Path(value) if isinstance(value, str) else value


class Cuts(_Strict):
    """What each layer leaves out."""

    base: dict[str, Cut] = {}
    python: dict[str, Cut] = {}


class Limits(_Strict):
    """See runtime/config.py, which reads them on the station."""

    upload_bytes: Annotated[int, Field(gt=0)] = 64 * 1024 * 1024
    page_pixels: Annotated[int, Field(gt=0)] = 64_000_000
    queue_pages: Annotated[int, Field(gt=0)] = 500
    request_timeout_s: Annotated[int, Field(gt=0)] = 600


class Squashfs(_Strict):
    """`level` is zstd's: higher is smaller and slower to build; reading costs the same."""

    level: Annotated[int, Field(ge=1, le=22)] = 9


class Profile(_Strict):
    """A profile, after `extends:` has been followed."""

    name: Name
    title: str
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    volume_id: Annotated[str, Field(pattern=r"^[A-Z0-9_]{1,11}$")]
    debian: Debian
    python: Python
    engines: Annotated[list[Literal["rapidocr", "vllm", "transformers"]], Field(min_length=1)]
    ui_port: Port = 7860
    api_port: Port = 8000
    language: Literal["zh", "en"] = "zh"
    limits: Limits = Limits()
    squashfs: Squashfs = Squashfs()
    cuts: Cuts = Cuts()
    kernel_arguments: list[str] = []

    @property
    def packages(self) -> list[str]:
        """All packages of the base layer, in the order of their groups."""
        return sorted({name for group in self.debian.packages.values() for name in group})
