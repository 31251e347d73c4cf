"""cryptsetup, for vaults: LUKS2, argon2id. Devices may be plain files, but for `open_as`."""

from __future__ import annotations

import os
from pathlib import Path

from runtime.media.mounting import CommandError
from runtime.media.tools import SECOND, Failed, run
from runtime.media.vault_wire import LABEL

_MOST_PBKDF_KIB = 512 * 1024
"""A vault is opened on other machines, too, and some of them are small."""
_LEAST_PBKDF_KIB = 32 * 1024
_WRONG = 2  # cryptsetup(8), EXIT STATUS: no permission, that is a bad passphrase
_NO_KEYRING = ("--disable-keyring", "--disable-locks", "--batch-mode")


class WrongPassphraseError(Exception):
    """No keyslot opens with it."""


def pbkdf_memory_kib(ram_bytes: int) -> int:
    """For argon2id: an eighth of the machine's memory at the most."""
    return max(_LEAST_PBKDF_KIB, min(_MOST_PBKDF_KIB, ram_bytes // 8 // 1024))


def make(device: Path, passphrase: bytes, recovery: bytes | None, *, memory_kib: int | None = None) -> None:
    """Write a new header with one keyslot, or two. Raises CommandError; the device's old content is lost."""
    slow = _slow(memory_kib)
    words = ("--type", "luks2", "--label", LABEL, "--cipher", "aes-xts-plain64", "--key-size", "512", *slow)
    run("cryptsetup", "luksFormat", *_NO_KEYRING, *words, "--key-file", "-", str(device), stdin=passphrase)
    if recovery is not None:
        # 200 bits of chance need no slow derivation: there is nothing to guess.
        quick = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")
        run(
            *("cryptsetup", "luksAddKey", *_NO_KEYRING, *quick, "--key-file", "-", str(device), SECOND),
            stdin=passphrase,
            second=recovery,
        )


def try_passphrase(device: Path, passphrase: bytes) -> None:
    """Raises WrongPassphraseError, or CommandError for a header that cannot be used."""
    _refusing("open", "--test-passphrase", "--key-file", "-", str(device), stdin=passphrase)


def open_as(device: Path, name: str, passphrase: bytes) -> Path:
    """The opened device. Raises as `try_passphrase`."""
    _refusing("open", "--type", "luks2", "--key-file", "-", str(device), name, stdin=passphrase)
    for mapped in Path("/sys/class/block").glob("dm-*/dm/name"):
        if mapped.read_text().strip() == name:
            return Path("/dev") / mapped.parent.parent.name
    raise CommandError(f"{name} was not mapped")


def close(name: str) -> None:
    """At once, or as soon as nothing uses it any more. Raises CommandError."""
    try:
        run("cryptsetup", "close", "--deferred", name)
    except CommandError:  # it cannot look at the header of a stick that is gone
        run("dmsetup", "remove", "--deferred", name)


def change(device: Path, passphrase: bytes, new: bytes, *, memory_kib: int | None = None) -> None:
    """Only the keyslot that `passphrase` opens. Raises as `try_passphrase`; then the old one still opens."""
    slow = _slow(memory_kib)
    _refusing("luksChangeKey", *slow, "--key-file", "-", str(device), SECOND, stdin=passphrase, second=new)


def erase(device: Path) -> None:
    """Destroy all keyslots, then the header. Raises CommandError."""
    run("cryptsetup", "luksErase", *_NO_KEYRING, str(device))
    run("wipefs", "--all", "--quiet", str(device))


def _slow(memory_kib: int | None) -> tuple[str, ...]:
    """The derivation that makes guessing dear. With `memory_kib`, for practice, it takes no time."""
    if memory_kib is not None:
        return ("--pbkdf", "argon2id", "--pbkdf-memory", str(memory_kib), "--pbkdf-force-iterations", "4")
    memory = pbkdf_memory_kib(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return ("--pbkdf", "argon2id", "--pbkdf-memory", str(memory))


def _refusing(*words: str, stdin: bytes, second: bytes = b"") -> None:
    try:
        run("cryptsetup", words[0], *_NO_KEYRING, *words[1:], stdin=stdin, second=second)
    except Failed as error:
        if error.code == _WRONG:
            raise WrongPassphraseError from error
        raise
