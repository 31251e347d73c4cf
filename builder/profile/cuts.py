"""What a layer leaves out."""

from __future__ import annotations

from builder.profile.strict import Strict


class Cut(Strict):
    """Paths left out of a layer, under a name, with the reason. Paths are globs from the root."""

    reason: str
    paths: list[str]
