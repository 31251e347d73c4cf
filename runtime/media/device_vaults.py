"""Real vaults: LUKS2 on a stick's own partition, ext4 inside, mounted for the gateway's user alone.

On another stick the vault is its only partition. On the station's own stick it lies behind the ISO's files;
that disk as a whole is mounted, so that the kernel lets nobody claim a partition of it: a loop device gives
the vault's part of it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runtime.media import luks, partitions, vault_storage
from runtime.media.backoff import Backoff
from runtime.media.luks import WrongPassphraseError
from runtime.media.mounting import CommandError
from runtime.media.partitions import Extent
from runtime.media.vault_backend import OnStage
from runtime.media.vault_disks import Disk, Disks
from runtime.media.vault_wire import (
    LEAST_BYTES,
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

log = logging.getLogger(__name__)

FOLDERS = Path("/run/inkstick/vault")
_NODE_WAIT_S = 30


@dataclass(frozen=True)
class _Vault:
    """A partition with a vault's header. `extent` is set on the station's own stick, whose partition cannot
    be claimed; `node` is the partition's device elsewhere."""

    disk: Disk
    uuid: str
    size_bytes: int
    node: Path
    extent: Extent | None

    @property
    def id(self) -> str:
        return f"{self.disk.id}-{self.uuid[:8]}"

    def found(self) -> FoundVault:
        return FoundVault(self.id, self.uuid, self.disk.kind, self.disk.label, self.size_bytes)


@dataclass(frozen=True)
class _Open:
    vault: _Vault
    source: Path
    name: str
    target: Path
    opening: int
    repaired: bool

    def told(self) -> OpenVault:
        vault = self.vault
        size, label = vault.size_bytes, vault.disk.label
        return OpenVault(vault.uuid, vault.disk.kind, label, self.opening, size, self.repaired)


class DeviceVaults:
    """See the module; implements vault_backend.Vaults. `release` unmounts what is mounted of a disk's files."""

    def __init__(self, disks: Disks, release: Callable[[str], None], folders: Path = FOLDERS) -> None:
        self._disks = disks
        self._release = release
        self._folders = folders
        self._work = threading.Lock()
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Disk, _Vault | None, VaultPlace | None]] = {}
        self._open: _Open | None = None
        self._gone: str | None = None
        self._opened = 0
        self._backoff = Backoff()

    def refresh(self) -> None:
        if not self._work.acquire(blocking=False):
            return  # a vault is being made: the disk is ours, and looks different every moment
        try:
            self._look()
        finally:
            self._work.release()

    def _look(self) -> None:
        present = {disk.id: disk for disk in self._disks.present()}
        opened = self._open
        if opened is not None and opened.vault.disk.id not in present:
            log.warning("the open vault was pulled out")
            self._let_go(opened)
            with self._lock:
                self._open, self._gone = None, opened.vault.uuid
        with self._lock:
            known = {name: facts for name, facts in self._known.items() if present.get(name) == facts[0]}
        for name, disk in present.items():
            if name not in known:
                known[name] = (disk, *self._examine(disk))
        with self._lock:
            self._known = known

    def _examine(self, disk: Disk) -> tuple[_Vault | None, VaultPlace | None]:
        try:
            if disk.kind == "boot":
                extent = partitions.vault_in(disk.node)
                if extent is None:
                    return None, self._behind_the_station(disk)
                uuid = vault_storage.luks_uuid(disk.node, extent)
                return (None if uuid is None else _Vault(disk, uuid, extent.size, disk.node, extent)), None
            for node, size in disk.partitions:
                uuid = vault_storage.luks_uuid(node)
                if uuid is not None:
                    return _Vault(disk, uuid, size, node, None), None
        except CommandError as error:
            log.warning("%s: %s", disk.node, error)
            if disk.kind == "boot":
                return None, None
        if disk.read_only or disk.size_bytes < LEAST_BYTES:
            return None, None
        return None, VaultPlace(disk.id, "stick", disk.label, disk.size_bytes, disk.labels)

    def _behind_the_station(self, disk: Disk) -> VaultPlace | None:
        extent = None if disk.read_only else partitions.free_end(disk.node, disk.size_bytes)
        return None if extent is None else VaultPlace(disk.id, "boot", disk.label, extent.size)

    def report(self) -> VaultReport:
        with self._lock:
            opened = self._open
            uuid = None if opened is None else opened.vault.uuid
            found = [vault.found() for _, vault, _ in self._known.values() if vault is not None and vault.uuid != uuid]
            places = [place for _, _, place in self._known.values() if place is not None]
            return VaultReport(tuple(found), tuple(places), None if opened is None else opened.told(), self._gone)

    def make(self, place: str, passphrase: bytes, recovery: bytes | None, owner: int, on_stage: OnStage) -> None:
        with self._work:
            if self._open is not None:
                raise Problem(VAULT_UNMADE, "Lock the open vault first.")
            with self._lock:
                disk, _, offered = self._known.get(place, (None, None, None))
            if disk is None or offered is None or disk not in self._disks.present():
                raise Problem(VAULT_GONE, "Plug the stick in again.")
            try:
                on_stage("partition")
                vault = self._partition(disk)
                on_stage("encrypt")
                source = self._source(vault)
                luks.make(source, passphrase, recovery)
                uuid = vault_storage.luks_uuid(source) or ""
                self._drop_source(vault, source)
                vault = _Vault(disk, uuid, vault.size_bytes, vault.node, vault.extent)
                self._open_it(vault, passphrase, owner, on_stage, fresh=True)
            except (CommandError, OSError, WrongPassphraseError) as error:
                raise Problem(VAULT_UNMADE, f"The stick reported: {error}. Try another stick.") from error
            finally:
                with self._lock:
                    self._known.pop(place, None)

    def _partition(self, disk: Disk) -> _Vault:
        if disk.kind == "boot":
            extent = partitions.append_vault(disk.node, disk.size_bytes)
            return _Vault(disk, "", extent.size, disk.node, extent)
        self._release(disk.name)
        partitions.whole_for_vault(disk.node)
        deadline = time.monotonic() + _NODE_WAIT_S
        while time.monotonic() < deadline:
            again = next((each for each in self._disks.present() if each.id == disk.id), None)
            if again is not None and len(again.partitions) == 1 and again.partitions[0][0].exists():
                node, size = again.partitions[0]
                return _Vault(again, "", size, node, None)
            time.sleep(0.2)
        raise CommandError("the new partition did not appear")

    def unlock(self, vault: str, passphrase: bytes, owner: int, on_stage: OnStage) -> None:
        with self._work:
            if self._open is not None:
                raise Problem(VAULT_DAMAGED, "Another vault is open: lock it first.")
            found = self._find(vault)
            self._backoff.check()
            on_stage("open")
            try:
                self._open_it(found, passphrase, owner, on_stage, fresh=False)
            except WrongPassphraseError as error:
                raise self._backoff.wrong(WRONG_PASSPHRASE) from error
            except (CommandError, OSError) as error:
                if found.disk not in self._disks.present():
                    raise Problem(VAULT_GONE, "Plug the stick in again.") from error
                raise Problem(VAULT_DAMAGED, f"The stick reported: {error}.") from error
            self._backoff.right()

    def _find(self, vault: str) -> _Vault:
        with self._lock:
            for _, found, _ in self._known.values():
                if found is not None and found.id == vault:
                    return found
        raise Problem(VAULT_GONE, "Plug the stick in again.")

    def _source(self, vault: _Vault) -> Path:
        return vault.node if vault.extent is None else vault_storage.attach(vault.node, vault.extent)

    def _drop_source(self, vault: _Vault, source: Path) -> None:
        if vault.extent is not None:
            with contextlib.suppress(CommandError):
                vault_storage.detach(source)

    def _open_it(self, vault: _Vault, passphrase: bytes, owner: int, on_stage: OnStage, *, fresh: bool) -> None:
        self._opened += 1
        name = f"inkstick-vault-{self._opened}"
        target = self._folders / str(self._opened)
        source = self._source(vault)
        try:
            device = luks.open_as(source, name, passphrase)
            try:
                if fresh:
                    on_stage("filesystem")
                    vault_storage.make_filesystem(device, owner)
                repaired = vault_storage.check_filesystem(device)
                on_stage("open")
                self._folders.mkdir(mode=0o755, parents=True, exist_ok=True)
                target.mkdir(mode=0o700, exist_ok=True)
                vault_storage.mount(device, target)
                os.chown(target, owner, -1)
                target.chmod(0o700)
            except BaseException:
                luks.close(name)
                raise
        except BaseException:
            self._drop_source(vault, source)
            raise
        with self._lock:
            self._open, self._gone = _Open(vault, source, name, target, self._opened, repaired), None

    def folder(self) -> int:
        with self._lock:
            if self._open is None:
                raise Problem(VAULT_GONE, "Unlock the vault first.")
            return os.open(self._open.target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def lock(self) -> None:
        with self._work:
            if self._open is not None:
                self._let_go(self._open)
            with self._lock:
                self._open = self._gone = None

    def _let_go(self, opened: _Open) -> None:
        """Flushed if its stick is there; whoever still has a file of it open loses it."""
        vault_storage.unmount(opened.target)
        with contextlib.suppress(CommandError):
            luks.close(opened.name)
        self._drop_source(opened.vault, opened.source)
        with contextlib.suppress(OSError):
            opened.target.rmdir()

    def change(self, passphrase: bytes, new: bytes) -> None:
        with self._work:
            if self._open is None:
                raise Problem(VAULT_GONE, "Unlock the vault first.")
            self._backoff.check()
            try:
                luks.change(self._open.source, passphrase, new)
            except WrongPassphraseError as error:
                raise self._backoff.wrong(WRONG_PASSPHRASE) from error
            except CommandError as error:
                raise Problem(VAULT_DAMAGED, f"The stick reported: {error}.") from error
            self._backoff.right()

    def erase(self, vault: str) -> None:
        with self._work:
            found = self._find(vault)
            try:
                source = self._source(found)
                try:
                    luks.erase(source)
                finally:
                    self._drop_source(found, source)
                if found.extent is not None:
                    partitions.drop_vault(found.disk.node)
            except CommandError as error:
                raise Problem(VAULT_DAMAGED, f"The stick reported: {error}.") from error
            finally:
                with self._lock:
                    self._known.pop(found.disk.id, None)
                    if self._gone == found.uuid:
                        self._gone = None

    def close(self) -> None:
        self.lock()
