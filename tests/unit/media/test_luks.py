"""Vaults' headers, by the real cryptsetup, on plain files."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runtime.media import luks
from runtime.media.backoff import Backoff
from runtime.media.luks import WrongPassphraseError
from runtime.media.mounting import CommandError
from runtime.media.vault_wire import LABEL, TOO_SOON, WRONG_PASSPHRASE
from runtime.problems import Problem

SECRET, RECOVERY = "口令 with a space".encode(), b"ABCDE-FGHJK"
MEMORY_KIB = 32 * 1024


@pytest.fixture
def header(tmp_path: Path) -> Path:
    path = tmp_path / "header"
    path.touch()
    os.truncate(path, 32 << 20)
    luks.make(path, SECRET, RECOVERY, memory_kib=MEMORY_KIB)
    return path


def test_it_is_luks2_with_argon2id_and_opens_with_either_secret_alone(header: Path) -> None:
    dump = subprocess.run(["cryptsetup", "luksDump", header], check=True, capture_output=True, text=True).stdout
    assert "Version:       \t2" in dump
    assert f"Label:         \t{LABEL}" in dump
    assert "argon2id" in dump
    assert "aes-xts-plain64" in dump
    luks.try_passphrase(header, SECRET)
    luks.try_passphrase(header, RECOVERY)
    with pytest.raises(WrongPassphraseError):
        luks.try_passphrase(header, SECRET + b"\n")


def test_a_changed_passphrase_replaces_its_own_keyslot_only(header: Path) -> None:
    luks.change(header, SECRET, b"another one", memory_kib=MEMORY_KIB)
    luks.try_passphrase(header, b"another one")
    luks.try_passphrase(header, RECOVERY)
    with pytest.raises(WrongPassphraseError):
        luks.try_passphrase(header, SECRET)
    with pytest.raises(WrongPassphraseError):
        luks.change(header, SECRET, b"a third", memory_kib=MEMORY_KIB)


def test_an_erased_vault_opens_with_nothing(header: Path) -> None:
    luks.erase(header)
    with pytest.raises(CommandError):
        luks.try_passphrase(header, SECRET)


def test_secrets_are_neither_arguments_nor_log_lines(
    header: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[object] = []
    real: Any = subprocess.run

    def watched(*arguments: Any, **options: Any) -> Any:
        seen.append((arguments, options["env"]))
        return real(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", watched)
    caplog.set_level(logging.DEBUG)
    luks.change(header, SECRET, b"thesecondsecret", memory_kib=MEMORY_KIB)
    assert seen
    for text in (repr(seen), caplog.text):
        assert SECRET.decode() not in text
        assert "thesecondsecret" not in text


@pytest.mark.parametrize(("gib", "kib"), [(1, 128 * 1024), (2, 256 * 1024), (16, 512 * 1024), (0.1, 32 * 1024)])
def test_the_key_derivation_takes_an_eighth_of_the_memory_at_most(gib: float, kib: int) -> None:
    assert luks.pbkdf_memory_kib(int(gib * 2**30)) == kib


def test_who_guesses_waits_longer_and_longer() -> None:
    now = 0.0
    backoff = Backoff(lambda: now)
    for _ in range(2):
        backoff.check()
        assert backoff.wrong(WRONG_PASSPHRASE).extra["wait_s"] == 0
    waits = []
    for _ in range(10):
        backoff.check()
        wait_s = backoff.wrong(WRONG_PASSPHRASE).extra["wait_s"]
        assert isinstance(wait_s, int)
        waits.append(wait_s)
        with pytest.raises(Problem) as refused:
            backoff.check()
        assert refused.value.kind is TOO_SOON
        now += wait_s
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    backoff.right()
    assert backoff.wrong(WRONG_PASSPHRASE).extra["wait_s"] == 0
