"""A detached signature of the checksum file, in OpenSSH's format: checked with ssh-keygen, without us."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from builder.errors import HostError, StepError

NAMESPACE = "inkstick"


def check_key(key: Path) -> None:
    """Before a build begins. Raises HostError if `key` cannot sign here."""
    if shutil.which("ssh-keygen") is None:
        raise HostError("--sign-key needs ssh-keygen", hint="install it: apt install openssh-client")
    if not key.is_file():
        raise HostError(f"there is no key {key}", hint="make one: ssh-keygen -t ed25519 -f KEY")


def sign(file: Path, key: Path) -> Path:
    """Sign `file` with an OpenSSH private key (or a public one whose private half an agent holds).

    Returns FILE.sig. ssh-keygen asks for a passphrase on the terminal. Raises StepError if it cannot sign.
    """
    signature = file.with_name(f"{file.name}.sig")
    signature.unlink(missing_ok=True)
    words = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(file)]
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0 or not signature.is_file():
        raise StepError(f"{file.name} could not be signed: {done.stderr.strip()}", hint="is it an OpenSSH key?")
    return signature
