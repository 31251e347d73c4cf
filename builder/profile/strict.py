"""What all parts of a profile share: unknown keys are errors, values are frozen, types are exact."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FilePath = Annotated[Path, BeforeValidator(lambda value: Path(value) if isinstance(value, str) else value)]


class Strict(BaseModel):
    """A part of a profile. An unknown key is an error: a typing mistake must not build a wrong stick."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
