"""GRUB's password: editing an entry or opening its command line would give the kernel any argument, a shell's too."""

from __future__ import annotations

import hashlib

USER = "inkstick"
_ITERATIONS = 10_000


def lock(seed: str, password_pbkdf2: str | None) -> str:
    """The commands that lock a menu, for a file that GRUB reads; entries marked --unrestricted still start.

    `password_pbkdf2`: what grub-mkpasswd-pbkdf2 prints. Without one nobody gets in: the hash is then made
    from `seed`, equal seeds giving equal bytes, and no password is known that leads to it.
    """
    password_pbkdf2 = password_pbkdf2 or _of_no_password(seed)
    return f'set superusers="{USER}"\nexport superusers\npassword_pbkdf2 {USER} {password_pbkdf2}'


def _of_no_password(seed: str) -> str:
    salt, digest = (hashlib.sha512(f"inkstick {part} {seed}".encode()).hexdigest() for part in ("salt", "hash"))
    return f"grub.pbkdf2.sha512.{_ITERATIONS}.{salt.upper()}.{digest.upper()}"
