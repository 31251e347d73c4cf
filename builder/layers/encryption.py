"""An image encrypted where it lies: a LUKS2 container made by cryptsetup without the kernel's help.

cryptsetup encrypts files in place, in user space: no device mapper, no loop device, and the passphrase
on no command line. The key and the salts are random: no two containers are alike.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from builder.errors import ProfileError

HEADER_BYTES = 1 << 20
"""Where the encrypted image begins: two headers of 16 KiB, and half a MiB for the passphrase's key slot."""

LEAST_CHARACTERS = 8
_BLOCK = 4096
# 256 MiB for the derivation of a key: nothing to a station, much to a machine that guesses.
_FORMAT = (
    *("--type", "luks2", "--cipher", "aes-xts-plain64", "--key-size", "512", "--sector-size", str(_BLOCK)),
    *("--pbkdf", "argon2id", "--pbkdf-memory", "262144", "--pbkdf-force-iterations", "4", "--pbkdf-parallel", "1"),
    *("--luks2-keyslots-size", "512k", "--reduce-device-size", str(2 * HEADER_BYTES)),
)


def read_passphrase(file: Path) -> str:
    """The passphrase in `file`. Raises ProfileError for one that cannot be read, or not be typed at the station."""
    try:
        text = file.read_text().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"the passphrase cannot be read: {error}", hint="a text file with one line") from None
    if len(text) < LEAST_CHARACTERS or not text.isascii() or not text.isprintable():
        raise ProfileError(
            f"{file} holds no passphrase that can be typed at the station",
            hint=f"one line of at least {LEAST_CHARACTERS} letters, digits, signs and spaces of ASCII",
        )
    return text


def encrypt(image: Path, passphrase_file: Path) -> None:
    """Turn `image`, a multiple of 4096 bytes long, into a container that holds it from HEADER_BYTES on."""
    bytes_ = image.stat().st_size
    assert bytes_ % _BLOCK == 0, "mksquashfs pads to 4096 bytes"
    # cryptsetup moves the data up by half of the room that it is given at the end.
    with image.open("r+b") as stream:
        stream.truncate(bytes_ + 2 * HEADER_BYTES)
    argv = ["cryptsetup", "reencrypt", "--encrypt", "--batch-mode", "--disable-locks", "--key-file=-", *_FORMAT]
    print("$", *argv, image, flush=True)
    subprocess.run([*argv, image], input=read_passphrase(passphrase_file).encode(), check=True)
    with image.open("r+b") as stream:
        stream.truncate(bytes_ + HEADER_BYTES)
