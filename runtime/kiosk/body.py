"""What a page of the station sends."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A request's body: keys that nobody knows are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
