from __future__ import annotations

import pytest

from runtime.vault.passphrase import as_typed, recovery_key, strength


@pytest.mark.parametrize(
    "weak", ["", "a", "Xk9$z", "password1", "woaini520", "zhongguo2026", "inkstick2026", "qwertyuiop"]
)
def test_what_is_guessed_soon_is_not_enough(weak: str) -> None:
    assert not strength(weak).enough


@pytest.mark.parametrize(
    "good", ["correct horse battery", "lan-hai-yun-7431", "墨水很好用的一支笔写字", "Q7#kd0-zR2p"]
)
def test_what_is_not_guessed_in_years_is_enough(good: str) -> None:
    found = strength(good)
    assert found.enough
    assert found.word in ("good", "strong")
    assert found.years > 1


def test_strength_grows_with_what_is_added() -> None:
    shares = [strength("lan-hai-yun-7431"[:length]).share for length in (4, 8, 12, 16)]
    assert shares == sorted(shares)


def test_a_very_long_one_is_weighed_at_once() -> None:
    assert strength("ab" * 100).share <= 1


def test_a_recovery_key_is_taken_however_it_is_typed() -> None:
    key = recovery_key()
    assert len(key.replace("-", "")) == 40
    assert key != recovery_key()
    for typed in (key, key.lower(), key.replace("-", ""), key.replace("-", " "), f" {key}"):
        assert as_typed(typed) == key
    assert as_typed("An Ordinary-passphrase") == "An Ordinary-passphrase"
