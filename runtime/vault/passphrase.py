"""How strong a passphrase is, and the recovery key that opens a vault when it is forgotten.

zxcvbn (Wheeler, USENIX Security 2016) counts the guesses that a good guesser needs: words, names, keyboard
walks, dates, pinyin among common passwords. It knows no Chinese signs and takes each for one of ten, which
errs on the safe side.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal

Word = Literal["none", "weak", "fair", "good", "strong"]

LEAST_CHARACTERS = 8
MOST_CHARACTERS = 200
LEAST_LOG10 = 10.0
"""10^10 guesses: at the hundred a second that argon2id leaves a thief with many machines, three years."""
GUESSES_A_SECOND = 100
_OURS = ["inkstick", "moding", "墨锭", "vault", "baoxianku", "保险库"]
_FROM: tuple[tuple[float, Word], ...] = ((13.0, "strong"), (LEAST_LOG10, "good"), (6.0, "fair"), (0.0, "weak"))
_FULL_LOG10 = 16.0
_SECONDS_A_YEAR = 365.25 * 86_400
_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_GROUPS, _GROUP = 8, 5


@dataclass(frozen=True)
class Strength:
    """`share` of a full bar; `years` that a thief needs for all guesses; `enough`: a vault may be made with it."""

    word: Word
    share: float
    years: float
    enough: bool


def strength(passphrase: str) -> Strength:
    if not passphrase:
        return Strength("none", 0.0, 0.0, False)
    from zxcvbn import zxcvbn  # type: ignore[import-untyped]  # its word lists take a tenth of a second, which the first page does not wait for

    log10 = float(zxcvbn(passphrase[:72], user_inputs=_OURS)["guesses_log10"])
    if len(passphrase) < LEAST_CHARACTERS:
        log10 = min(log10, _FROM[-2][0] - 0.01)
    word = next(word for least, word in _FROM if log10 >= least)
    years = 10**log10 / GUESSES_A_SECOND / _SECONDS_A_YEAR
    return Strength(word, round(min(1.0, log10 / _FULL_LOG10), 3), years, log10 >= LEAST_LOG10)


def recovery_key() -> str:
    """196 bits, in groups for copying by hand; no sign in it can be taken for another."""
    groups = ["".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS)]
    return "-".join(groups)


def as_typed(text: str) -> str:
    """What to try: a recovery key however it was typed, and any passphrase as it is."""
    signs = text.upper().replace("-", "").replace(" ", "")
    if len(signs) == _GROUPS * _GROUP and all(sign in _ALPHABET for sign in signs):
        return "-".join(signs[at : at + _GROUP] for at in range(0, len(signs), _GROUP))
    return text
