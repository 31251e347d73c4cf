"""Character error rate.

Policy, stated because every figure depends on it: both texts are normalised to NFKC; every run of
white space, line breaks included, is one space; a space beside a Chinese character counts for
nothing; typographic quotes and dashes count as their typewriter forms. Case and all other signs
count.
"""

from __future__ import annotations

import re
import unicodedata

from rapidfuzz.distance import Levenshtein

_TYPEWRITER = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "―": "-"})
_WIDE = r"[　-〿㐀-䶿一-鿿＀-￯￥¥]"
_BESIDE_WIDE = re.compile(rf"(?<={_WIDE}) | (?={_WIDE})")


def normalised(text: str) -> str:
    """`text` as the measure sees it."""
    folded = unicodedata.normalize("NFKC", text).translate(_TYPEWRITER)
    return _BESIDE_WIDE.sub("", " ".join(folded.split()))


def cer(truth: str, read: str) -> float:
    """Edits (insert, delete, substitute) per character of `truth`; 0 is perfect, and it can exceed 1."""
    wanted, got = normalised(truth), normalised(read)
    if not wanted:
        return 0.0 if not got else 1.0
    return float(Levenshtein.distance(wanted, got)) / len(wanted)
