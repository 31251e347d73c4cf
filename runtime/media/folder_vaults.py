"""Vaults in folders that act as sticks, for trying the pages and for their tests. NOTHING IS ENCRYPTED HERE.

The passphrase is real: it opens a LUKS2 header, or does not. What is kept lies in a plain folder beside it. So
this is used only where it is asked for by name (`--practice-vaults`), and never on a station.
"""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

from runtime.media import luks
from runtime.media.backoff import Backoff
from runtime.media.luks import WrongPassphraseError
from runtime.media.mounting import CommandError
from runtime.media.vault_backend import OnStage
from runtime.media.vault_wire import (
    VAULT_DAMAGED,
    VAULT_GONE,
    VAULT_UNMADE,
    WRONG_PASSPHRASE,
    FoundVault,
    OpenVault,
    VaultPlace,
    VaultReport,
)
from runtime.problems import Problem

HIDDEN = ".inkstick-vault"
_HEADER_BYTES = 20 * 1024 * 1024
_PBKDF_KIB = 32 * 1024


class FolderVaults:
    """See the module; implements vault_backend.Vaults."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._sticks: dict[str, int] = {}
        self._open: OpenVault | None = None
        self._gone: str | None = None
        self._openings = 0
        self._backoff = Backoff()

    def refresh(self) -> None:
        present = {}
        if self._folder.is_dir():
            with os.scandir(self._folder) as entries:
                present = {
                    entry.name: entry.inode() for entry in entries if entry.is_dir() and not entry.name.startswith(".")
                }
        with self._lock:
            self._sticks = present
            if self._open is not None and not self._content(self._open.label).is_dir():
                self._gone, self._open = self._open.uuid, None

    def report(self) -> VaultReport:
        with self._lock:
            found, places = [], []
            for name, inode in sorted(self._sticks.items()):
                uuid = self._uuid(name)
                if uuid is None:
                    places.append(VaultPlace(f"{name}-{inode}", "stick", name, self._size(name), (name,)))
                elif self._open is None or self._open.uuid != uuid:
                    found.append(FoundVault(f"{name}-{inode}", uuid, "stick", name, self._size(name)))
            return VaultReport(tuple(found), tuple(places), self._open, self._gone)

    def _size(self, name: str) -> int:
        try:
            space = os.statvfs(self._folder / name)
        except OSError:
            return 0
        return space.f_blocks * space.f_frsize

    def _uuid(self, name: str) -> str | None:
        try:
            return (self._folder / name / HIDDEN / "uuid").read_text()
        except OSError:
            return None

    def _find(self, wanted: str) -> str:
        for name, inode in self._sticks.items():
            if f"{name}-{inode}" == wanted and (self._folder / name).is_dir():
                return name
        raise Problem(VAULT_GONE, "Plug the stick in again.")

    def make(self, place: str, passphrase: bytes, recovery: bytes | None, owner: int, on_stage: OnStage) -> None:
        with self._lock:
            name = self._find(place)
            stick = self._folder / name
            on_stage("partition")
            for entry in list(stick.iterdir()):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            hidden = stick / HIDDEN
            (hidden / "content").mkdir(parents=True)
            header = hidden / "header"
            header.touch()
            os.truncate(header, _HEADER_BYTES)
            on_stage("encrypt")
            try:
                luks.make(header, passphrase, recovery, memory_kib=_PBKDF_KIB)
            except CommandError as error:
                raise Problem(VAULT_UNMADE, str(error)) from error
            on_stage("filesystem")
            (hidden / "uuid").write_text(f"{name}-vault-{os.urandom(4).hex()}")
            self._opened(name)

    def _opened(self, name: str) -> None:
        self._openings += 1
        self._open = OpenVault(self._uuid(name) or "", "stick", name, self._openings, self._size(name))
        self._gone = None

    def unlock(self, vault: str, passphrase: bytes, owner: int, on_stage: OnStage) -> None:
        with self._lock:
            name = self._find(vault)
            on_stage("open")
            self._try(name, passphrase)
            self._opened(name)

    def _try(self, name: str, passphrase: bytes) -> None:
        self._backoff.check()
        try:
            luks.try_passphrase(self._folder / name / HIDDEN / "header", passphrase)
        except WrongPassphraseError as error:
            raise self._backoff.wrong(WRONG_PASSPHRASE) from error
        except CommandError as error:
            raise Problem(VAULT_DAMAGED, str(error)) from error
        self._backoff.right()

    def _content(self, name: str) -> Path:
        return self._folder / name / HIDDEN / "content"

    def folder(self) -> int:
        with self._lock:
            if self._open is None:
                raise Problem(VAULT_GONE, "Unlock the vault first.")
            try:
                return os.open(self._content(self._open.label), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                raise Problem(VAULT_GONE, "Plug the stick in again.") from error

    def lock(self) -> None:
        with self._lock:
            self._open = self._gone = None

    def change(self, passphrase: bytes, new: bytes) -> None:
        with self._lock:
            if self._open is None:
                raise Problem(VAULT_GONE, "Unlock the vault first.")
            self._try(self._open.label, passphrase)
            luks.change(self._folder / self._open.label / HIDDEN / "header", passphrase, new, memory_kib=_PBKDF_KIB)

    def erase(self, vault: str) -> None:
        with self._lock:
            name = self._find(vault)
            luks.erase(self._folder / name / HIDDEN / "header")
            shutil.rmtree(self._folder / name / HIDDEN)

    def close(self) -> None:
        self.lock()
