"""Which way lines run: Arabic, Hebrew and their like from right to left."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_RIGHT_TO_LEFT = frozenset({"R", "AL"})


def runs_left(text: str) -> bool:
    """True where most of the text's letters are of a script written right to left (Unicode's UAX 9, R and AL)."""
    strong = [kind for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL")]
    return 2 * sum(kind in _RIGHT_TO_LEFT for kind in strong) > len(strong)


def page_runs_left(texts: Iterable[str]) -> bool:
    """The same of a whole page, which sets the order of its columns and cells."""
    return runs_left("".join(texts))
