"""A signed checksum is checked with OpenSSH's own tool; an altered one is not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builder.errors import HostError, StepError
from builder.signing import NAMESPACE, check_key, sign


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", made], check=True)
    return made


@pytest.fixture
def checksum(tmp_path: Path) -> Path:
    file = tmp_path / "inkstick.iso.sha256"
    file.write_text(f"{'a' * 64}  inkstick.iso\n")
    return file


def is_right(checksum: Path, signature: Path, key: Path) -> bool:
    signers = key.with_name("signers")
    signers.write_text(f"operator {key.with_suffix('.pub').read_text()}")
    words: list[str | Path] = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        signers,
        "-I",
        "operator",
        "-n",
        NAMESPACE,
        "-s",
        signature,
    ]
    with checksum.open("rb") as content:
        return subprocess.run(words, stdin=content, capture_output=True, check=False).returncode == 0


def test_what_was_signed_is_right_until_it_is_altered(checksum: Path, key: Path) -> None:
    check_key(key)
    signature = sign(checksum, key)
    assert signature.name == "inkstick.iso.sha256.sig" and is_right(checksum, signature, key)
    checksum.write_text(checksum.read_text().replace("a", "b"))
    assert not is_right(checksum, signature, key)
    assert is_right(checksum, sign(checksum, key), key), "a second signature takes the place of the first"


def test_a_key_that_is_not_there_is_told_before_the_build(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no key"):
        check_key(tmp_path / "nothing")


def test_a_file_that_is_no_key_is_told(checksum: Path, tmp_path: Path) -> None:
    (tmp_path / "no-key").write_text("nothing")
    (tmp_path / "no-key").chmod(0o600)
    with pytest.raises(StepError, match="could not be signed"):
        sign(checksum, tmp_path / "no-key")
