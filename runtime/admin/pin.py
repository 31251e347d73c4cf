"""The PIN before the admin page: kept as scrypt's digest, from the profile or set at the first visit.

`python3 -m runtime.admin.pin` asks for one and prints what stands in a profile as `admin: {pin_hash: ...}`.
The standard library alone, so that it runs where the profile is written.
"""

from __future__ import annotations

import base64
import getpass
import hashlib
import hmac
import os
import re
import secrets
import sys
from itertools import pairwise
from pathlib import Path

FORMAT = re.compile(r"^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{16,})\$([A-Za-z0-9_-]{32,})$")
_COST, _BLOCK, _PARALLEL = 15, 8, 1
"""2^15 rounds of 1 KiB: 32 MiB and a tenth of a second for each guess."""
_MOST_COST = 20
_SALT_BYTES = 16
_DIGEST_BYTES = 32
LEAST_DIGITS = 6
MOST_DIGITS = 12


class WeakPin(ValueError):
    """The PIN is none, or one that is guessed first."""


def digest_of(pin: str) -> str:
    """`scrypt$COST$BLOCK$PARALLEL$SALT$DIGEST`. Raises WeakPin."""
    refuse_weak(pin)
    salt = secrets.token_bytes(_SALT_BYTES)
    derived = _derived(pin, salt, _COST, _BLOCK, _PARALLEL)
    return f"scrypt${_COST}${_BLOCK}${_PARALLEL}${_text(salt)}${_text(derived)}"


def matches(pin: str, digest: str) -> bool:
    """In constant time. False for a digest that is none."""
    found = FORMAT.match(digest)
    if found is None or int(found[1]) > _MOST_COST:
        return False
    wanted = _bytes(found[5])
    derived = _derived(pin, _bytes(found[4]), int(found[1]), int(found[2]), int(found[3]))
    return hmac.compare_digest(wanted, derived)


def refuse_weak(pin: str) -> None:
    """Raises WeakPin for what is not 6 to 12 digits, or is one digit over and over, or counts up or down."""
    if not (pin.isascii() and pin.isdigit() and LEAST_DIGITS <= len(pin) <= MOST_DIGITS):
        raise WeakPin(f"A PIN has {LEAST_DIGITS} to {MOST_DIGITS} digits.")
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if steps <= {0} or steps == {1} or steps == {9}:
        raise WeakPin("This PIN would be guessed first.")


class Pin:
    """`given`: the profile's digest, which nobody at the station can change. Otherwise the file `kept` holds
    what the first visitor chose, for as long as the station runs; None: this process remembers it."""

    def __init__(self, given: str | None, kept: Path | None) -> None:
        self.is_given = given is not None
        self._kept = kept
        self._digest = given if given is not None else self._read()

    @property
    def is_set(self) -> bool:
        return self._digest is not None

    def fits(self, pin: str) -> bool:
        return self._digest is not None and matches(pin, self._digest)

    def set(self, pin: str) -> None:
        """Raises WeakPin, and OSError if it cannot be kept."""
        digest = digest_of(pin)
        if self._kept is not None:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            beside = self._kept.with_name(f".{self._kept.name}.new")
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(digest)
            beside.replace(self._kept)
        self._digest = digest

    def _read(self) -> str | None:
        if self._kept is None:
            return None
        try:
            return self._kept.read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return None


def _derived(pin: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    memory = 128 * block * 2**cost * parallel + 2**20
    return hashlib.scrypt(pin.encode(), salt=salt, n=2**cost, r=block, p=parallel, maxmem=memory, dklen=_DIGEST_BYTES)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def main() -> int:
    pin = getpass.getpass("PIN: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
    try:
        print(digest_of(pin))
    except WeakPin as weak:
        print(weak, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
