"""Real sticks: found in sysfs, mounted read-only, writable only for the moment of a save."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.media import confined, detection, mounting, saving
from runtime.media.detection import Volume
from runtime.media.failures import GONE, as_problem
from runtime.media.mounting import CommandError, FileSystem
from runtime.media.saving import Contents, OnProgress
from runtime.media.vault_wire import LABEL
from runtime.media.wire import Document, Listing, Saved, Stick, StickState
from runtime.problems import STICK_GONE, STICK_READ_ONLY, STICK_UNREADABLE, Problem

log = logging.getLogger(__name__)

MOUNT_POINTS = Path("/run/inkstick/media")
SYSFS = Path("/sys/class/block")
_MOUNTINFO = Path("/proc/thread-self/mountinfo")
_BOOT_MEDIUM = Path("inkstick/layers")

Find = Callable[[], tuple[Volume, ...]]


class _Plugged:
    """A volume and its mount point. `lock` is held by whoever reads or writes the stick."""

    def __init__(self, volume: Volume, device: Path, target: Path, filesystem: FileSystem) -> None:
        self.volume = volume
        self.device = device
        self.target = target
        self.filesystem = filesystem
        self.lock = threading.Lock()
        self.state: StickState = "unreadable"
        self.free_bytes: int | None = None

    def stick(self) -> Stick:
        return Stick(
            id=self.volume.id,
            label=self.filesystem.label,
            uuid=self.filesystem.uuid,
            filesystem=self.filesystem.kind,
            size_bytes=self.volume.size_bytes,
            free_bytes=self.free_bytes,
            writable=self.filesystem.writable and not self.volume.read_only,
            state=self.state,
        )


class BlockDevices:
    """See the module; implements backend.Sticks. Needs root, or CAP_SYS_ADMIN and read-write on sd*."""

    can_power_off = True

    def __init__(
        self, mount_points: Path = MOUNT_POINTS, devices: Path = Path("/dev"), find: Find | None = None
    ) -> None:
        self._mount_points = mount_points
        self._devices = devices
        self._find_volumes = find or self._volumes_in_sysfs
        self._lock = threading.Lock()
        self._plugged: dict[str, _Plugged] = {}
        self._ignored: set[str] = set()
        mount_points.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clear_mount_points()

    def _clear_mount_points(self) -> None:
        """A helper that was killed left its mounts; with one below ours a stick would never be safe."""
        for target in detection.mounts_below(self._mount_points, _MOUNTINFO.read_text()):
            mounting.detach(target)
        for left in self._mount_points.iterdir():
            left.rmdir()

    def _volumes_in_sysfs(self) -> tuple[Volume, ...]:
        in_use = detection.mounted_elsewhere(_MOUNTINFO.read_text(), self._mount_points)
        return detection.volumes(SYSFS, in_use)

    def refresh(self) -> None:
        present = {volume.id: volume for volume in self._find_volumes()}
        with self._lock:
            gone = [self._plugged.pop(name) for name in self._plugged.keys() - present.keys()]
            self._ignored &= present.keys()
            fresh = [present[name] for name in present.keys() - self._plugged.keys() - self._ignored]
        for plugged in gone:
            mounting.detach(plugged.target)
            with contextlib.suppress(OSError):
                plugged.target.rmdir()
        for volume in sorted(fresh, key=lambda volume: volume.name):
            self._plug_in(volume)

    def _plug_in(self, volume: Volume) -> None:
        device = self._devices / volume.name
        filesystem = mounting.probe(device)
        if filesystem is None and volume.name == volume.disk:
            filesystem = FileSystem("", "", "")  # an empty stick is shown, and said to be unreadable
        if filesystem is None or filesystem.label == LABEL or volume.id in self._ignored:
            self._ignored.add(volume.id)  # a partition that holds no files, or a vault
            return
        plugged = _Plugged(volume, device, self._mount_points / volume.id, filesystem)
        plugged.target.mkdir(mode=0o700, exist_ok=True)
        try:
            self._open(plugged)
        except Problem as problem:
            log.warning("%s: %s", volume.name, problem)
        if (plugged.target / _BOOT_MEDIUM).is_dir():
            self._ignore_disk(plugged)
            return
        with self._lock:
            self._plugged[volume.id] = plugged

    def _ignore_disk(self, plugged: _Plugged) -> None:
        """The boot medium itself, found by content: none of its partitions is a stick."""
        disk = plugged.volume.disk
        with self._lock:
            siblings = [
                self._plugged.pop(name) for name, other in list(self._plugged.items()) if other.volume.disk == disk
            ]
        for other in [plugged, *siblings]:
            mounting.detach(other.target)
            with contextlib.suppress(OSError):
                other.target.rmdir()
        self._ignored |= {volume.id for volume in self._find_volumes() if volume.disk == disk}

    def _open(self, plugged: _Plugged) -> None:
        mounting.mount(plugged.device, plugged.target, plugged.filesystem)
        space = os.statvfs(plugged.target)
        plugged.free_bytes = space.f_bavail * space.f_frsize
        plugged.state = "ready"

    def sticks(self) -> tuple[Stick, ...]:
        with self._lock:
            return tuple(plugged.stick() for plugged in self._plugged.values())

    def files(self, stick_id: str) -> Listing:
        with self._hold(stick_id) as plugged:
            return confined.images(plugged.target)

    def read(self, stick_id: str, path: str, limit_bytes: int) -> bytes:
        with self._hold(stick_id) as plugged:
            return confined.read(plugged.target, path, limit_bytes)

    @contextmanager
    def _hold(self, stick_id: str, state: StickState = "ready") -> Iterator[_Plugged]:
        with self._lock:
            plugged = self._plugged.get(stick_id)
        if plugged is None:
            raise Problem(STICK_GONE, GONE)
        with plugged.lock:
            if plugged.state == "unreadable":
                raise Problem(STICK_UNREADABLE, "FAT32, exFAT and NTFS are read. Try another stick.")
            if plugged.state != state:
                raise Problem(STICK_GONE, GONE)
            try:
                yield plugged
            except OSError as error:
                raise as_problem(error, present=self._present(stick_id)) from error
            except (CommandError, Problem) as error:
                if not self._present(stick_id):
                    raise Problem(STICK_GONE, GONE) from error
                if isinstance(error, CommandError):
                    raise Problem(STICK_UNREADABLE, "The stick could not be unmounted.") from error
                raise

    def _present(self, stick_id: str) -> bool:
        return any(volume.id == stick_id for volume in self._find_volumes())

    def labels_on(self, disk: str) -> tuple[str, ...]:
        """The names of what is on a disk, for people."""
        with self._lock:
            found = [each.filesystem.label for each in self._plugged.values() if each.volume.disk == disk]
        return tuple(label for label in found if label)

    def let_go_of(self, disk: str) -> None:
        """Unmount all of a disk: it is about to become something else, and is looked at afresh afterwards."""
        with self._lock:
            gone = [self._plugged.pop(name) for name, each in list(self._plugged.items()) if each.volume.disk == disk]
            self._ignored |= {plugged.volume.id for plugged in gone}
        for plugged in gone:
            with plugged.lock:
                mounting.detach(plugged.target)
                with contextlib.suppress(OSError):
                    plugged.target.rmdir()

    def names(self, stick_id: str, documents: tuple[Document, ...]) -> tuple[str, ...]:
        with self._hold(stick_id) as plugged:
            return saving.names(plugged.target, documents)

    def save(
        self,
        stick_id: str,
        documents: tuple[Document, ...],
        contents: Contents,
        on_progress: OnProgress,
    ) -> Saved:
        with self._hold(stick_id) as plugged:
            if not plugged.stick().writable:
                raise Problem(STICK_READ_ONLY, "Switch its write protection off, or use another stick.")
            mounting.remount_writable(plugged.target, plugged.filesystem)
            plugged.state = "saving"
            try:
                written = saving.write(plugged.target, documents, contents, on_progress)
            except BaseException:
                mounting.remount_read_only(plugged.target)
                plugged.state = "ready"
                raise
            plugged.state = "unreadable"  # until it has come back whole
            mounting.unmount(plugged.target)
            mounting.mount(plugged.device, plugged.target, plugged.filesystem)
            try:
                saving.compare(plugged.target, written, on_progress)
                plugged.state = "ejected"
            finally:
                mounting.unmount(plugged.target)
        self._eject_siblings(plugged)
        return written.saved

    def _eject_siblings(self, saved: _Plugged) -> None:
        """A stick with two partitions can be pulled out only when neither is mounted."""
        with self._lock:
            siblings = [
                other
                for other in self._plugged.values()
                if other.volume.disk == saved.volume.disk and other is not saved
            ]
        for other in siblings:
            with other.lock:
                if other.state == "ready":
                    mounting.unmount(other.target)
                    other.state = "ejected"

    def use(self, stick_id: str) -> None:
        with self._hold(stick_id, "ejected") as plugged:
            self._open(plugged)

    def power(self, action: str) -> None:
        self.close()
        mounting.run("systemctl", "--no-block", action)

    def close(self) -> None:
        with self._lock:
            everything = list(self._plugged.values())
            self._plugged.clear()
            self._ignored |= {plugged.volume.id for plugged in everything}
        for plugged in everything:
            with plugged.lock:
                if plugged.state == "ready":
                    mounting.detach(plugged.target)
            with contextlib.suppress(OSError):
                plugged.target.rmdir()
