"""Text as checks and label matching see it: compatibility forms folded, white space gone."""

from __future__ import annotations

import unicodedata


def squeezed(text: str) -> str:
    """`text` in NFKC without any white space: `１２３ ４５` becomes `12345`."""
    return "".join(unicodedata.normalize("NFKC", text).split())
