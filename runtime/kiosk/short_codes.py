"""QR codes of short texts: a telephone takes over what is on the screen, without any network."""

from __future__ import annotations

from dataclasses import dataclass

import segno

from runtime.problems import ProblemKind

MOST_BYTES = 1003
"""Version 22 at level L, 105 modules a side (ISO/IEC 18004, table 7): readers fail at larger ones off a screen."""
QR_TOO_LONG = ProblemKind("qr-too-long", 413, "The text is too long for a QR code", "文字太长，二维码放不下")
_VERSION = 22


@dataclass(frozen=True)
class Code:
    """`side`: modules along a side, quiet zone included; `path`: an SVG path of the dark ones, one unit each."""

    side: int
    path: str


def code_of(text: str) -> Code | None:
    """The code of `text` as UTF-8; None if it is longer than MOST_BYTES."""
    if not text or len(text.encode("utf-8", "replace")) > MOST_BYTES:
        return None
    # As bytes of UTF-8: other readings of Chinese (Kanji mode) are not known to every telephone.
    mode = None if text.isascii() else "byte"
    made = segno.make_qr(text, error="L", mode=mode, encoding=None if mode is None else "utf-8")
    if int(made.version) > _VERSION:
        return None
    quiet = made.default_border_size
    path = "".join(
        f"M{x + quiet} {y + quiet}h1v1h-1z" for y, row in enumerate(made.matrix) for x, dark in enumerate(row) if dark
    )
    return Code(len(made.matrix) + 2 * quiet, path)
