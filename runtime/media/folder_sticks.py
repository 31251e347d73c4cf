"""Folders that act as sticks, for `build.py serve --sticks DIR` and the browser tests.

Each folder in DIR is a stick; removing or renaming it away is pulling it out. A folder without any
write permission bit is a write-protected stick (root could write to it, so the bits are looked at).
"""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import replace
from pathlib import Path

from runtime.media import confined, saving
from runtime.media.failures import NOT_AVAILABLE, as_problem
from runtime.media.folder_vaults import HIDDEN
from runtime.media.saving import Contents, OnProgress
from runtime.media.wire import Document, Listing, Saved, Stick
from runtime.problems import STICK_GONE, STICK_READ_ONLY, Problem


class FolderSticks:
    """See the module; implements backend.Sticks."""

    can_power_off = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._sticks: dict[str, tuple[int, Stick]] = {}
        self._plugged = 0

    def refresh(self) -> None:
        present: dict[str, int] = {}
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and not is_vault(entry):
                        present[entry.name] = entry.inode()
        except FileNotFoundError:
            pass
        with self._lock:
            for name, (inode, _) in list(self._sticks.items()):
                if present.get(name) != inode:
                    del self._sticks[name]
            for name in sorted(present.keys() - self._sticks.keys()):
                self._plugged += 1
                try:
                    self._sticks[name] = (present[name], self._describe(name, f"{name}-{self._plugged}"))
                except FileNotFoundError:
                    continue

    def _describe(self, name: str, stick_id: str) -> Stick:
        space = os.statvfs(self._folder / name)
        return Stick(
            id=stick_id,
            label=name,
            uuid=name,
            filesystem="folder",
            size_bytes=space.f_blocks * space.f_frsize,
            free_bytes=space.f_bavail * space.f_frsize,
            writable=bool((self._folder / name).stat().st_mode & 0o222),
            state="ready",
        )

    def sticks(self) -> tuple[Stick, ...]:
        with self._lock:
            return tuple(stick for _, stick in self._sticks.values())

    def files(self, stick_id: str) -> Listing:
        root, _ = self._find(stick_id)
        try:
            return confined.images(root)
        except OSError as error:
            raise as_problem(error, present=root.is_dir()) from error

    def read(self, stick_id: str, path: str, limit_bytes: int) -> bytes:
        root, _ = self._find(stick_id)
        try:
            return confined.read(root, path, limit_bytes)
        except (OSError, Problem) as error:
            if isinstance(error, Problem) and root.is_dir():
                raise
            code = error if isinstance(error, OSError) else OSError(errno.ENODEV, "")
            raise as_problem(code, present=root.is_dir()) from error

    def names(self, stick_id: str, documents: tuple[Document, ...]) -> tuple[str, ...]:
        root, _ = self._find(stick_id)
        try:
            return saving.names(root, documents)
        except OSError as error:
            raise as_problem(error, present=root.is_dir()) from error

    def save(
        self,
        stick_id: str,
        documents: tuple[Document, ...],
        contents: Contents,
        on_progress: OnProgress,
    ) -> Saved:
        root, stick = self._find(stick_id)
        if not stick.writable:
            raise Problem(STICK_READ_ONLY, "Switch its write protection off, or use another stick.")
        try:
            written = saving.write(root, documents, contents, on_progress)
            saving.compare(root, written, on_progress)
        except OSError as error:
            raise as_problem(error, present=root.is_dir()) from error
        self._set(replace(stick, state="ejected"))
        return written.saved

    def use(self, stick_id: str) -> None:
        _, stick = self._find(stick_id, ejected=True)
        self._set(replace(stick, state="ready"))

    def power(self, action: str) -> None:
        raise Problem(NOT_AVAILABLE, "This is not a station of its own: its power is not ours.")

    def close(self) -> None:
        """Nothing is mounted."""

    def _find(self, stick_id: str, *, ejected: bool = False) -> tuple[Path, Stick]:
        with self._lock:
            for name, (_, stick) in self._sticks.items():
                if stick.id == stick_id and (stick.state == "ready" or ejected):
                    return self._folder / name, stick
        raise Problem(STICK_GONE, "Plug it in again, or plug in another stick.")

    def _set(self, stick: Stick) -> None:
        with self._lock:
            if stick.label in self._sticks:
                self._sticks[stick.label] = (self._sticks[stick.label][0], stick)


def is_vault(entry: os.DirEntry[str]) -> bool:
    """A stick that is a vault holds no files for anybody."""
    return os.path.isdir(os.path.join(entry.path, HIDDEN))
