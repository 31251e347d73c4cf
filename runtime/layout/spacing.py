"""How the pieces of a printed line are joined: Latin words by a space, Chinese without."""

from __future__ import annotations

import unicodedata

CELL_GAP = "  "
"""Between the cells of a table's row: wider than a word's space, so that cells can be told apart."""


def is_wide(character: str) -> bool:
    """True of characters set solid, with no space between words: Han, kana and full-width signs.

    Hangul is as wide but puts spaces between its words.
    """
    if unicodedata.east_asian_width(character) not in "WF":
        return False
    return not unicodedata.name(character, "").startswith("HANGUL")


def join(pieces: list[str], gaps: list[float]) -> str:
    """Join the pieces of one line, left to right.

    `gaps[i]`, in line heights, is the white between piece i and i + 1; it matters only between
    wide characters, where a gap as large as a character was meant as one.
    """
    text = pieces[0] if pieces else ""
    for piece, gap in zip(pieces[1:], gaps, strict=True):
        if not text or not piece:
            text += piece
        elif is_wide(text[-1]) or is_wide(piece[0]):
            text += (" " if gap >= 1.0 else "") + piece
        else:
            text += " " + piece
    return text
