"""Looking into a stick without ever leaving it.

Every path is walked one component at a time from the stick's root, with O_NOFOLLOW: a symbolic
link, "..", a device or a FIFO on a stick is never opened.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from runtime.media.wire import SAVE_FOLDER, FileEntry, Listing
from runtime.problems import FILE_TOO_LARGE, NOT_FOUND, Problem

READABLE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".heic", ".heif", ".avif"}
    | {".pdf", ".zip"}
)
MAX_FILES = 1000
MAX_DEPTH = 6
MAX_ENTRIES = 50_000
_SKIPPED_FOLDERS = frozenset({"$recycle.bin", "system volume information", "found.000", "lost+found"})
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def images(root: Path) -> Listing:
    """The images and documents below `root`, folder by folder, names in the order a person would count them.

    But for the folder into which results are saved: a searchable PDF there has been read already.
    Stops at MAX_FILES of them or MAX_ENTRIES directory entries and then says `truncated`.
    Raises OSError if the root itself cannot be read.
    """
    budget = _Budget()
    found: list[FileEntry] = []
    descriptor = os.open(root, _DIRECTORY)
    try:
        for entry in _walk(descriptor, "", 0, budget):
            if len(found) == MAX_FILES:
                budget.exceeded = True
                break
            found.append(entry)
    finally:
        os.close(descriptor)
    return Listing(tuple(found), budget.exceeded)


class _Budget:
    def __init__(self) -> None:
        self.entries = 0
        self.exceeded = False

    def spend(self) -> bool:
        self.entries += 1
        self.exceeded = self.exceeded or self.entries > MAX_ENTRIES
        return not self.exceeded


def _walk(descriptor: int, prefix: str, depth: int, budget: _Budget) -> Iterator[FileEntry]:
    files: list[FileEntry] = []
    folders: list[str] = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if not budget.spend():
                break
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                results = depth == 0 and entry.name.lower() == SAVE_FOLDER.lower()
                if entry.name.lower() not in _SKIPPED_FOLDERS and not results:
                    folders.append(entry.name)
            elif os.path.splitext(entry.name)[1].lower() in READABLE_SUFFIXES:
                details = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(details.st_mode):
                    files.append(FileEntry(prefix + entry.name, details.st_size))
    yield from sorted(files, key=lambda file: natural_order(file.path))
    if folders and depth == MAX_DEPTH:
        budget.exceeded = True
        return
    for name in sorted(folders, key=natural_order):
        try:
            inner = os.open(name, _DIRECTORY, dir_fd=descriptor)
        except OSError:
            continue  # one unreadable folder does not hide the others
        try:
            yield from _walk(inner, f"{prefix}{name}/", depth + 1, budget)
        finally:
            os.close(inner)


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """A sort key by which page2 comes before page10."""
    return [
        (0, int(piece), "") if piece.isdecimal() else (1, 0, piece.lower())
        for piece in re.split(r"(\d+)", name)
        if piece
    ]


def read(root: Path, path: str, limit_bytes: int) -> bytes:
    """The content of one regular file. Raises Problem for a path that is not one, or too large a file."""
    pieces = path.split("/")
    if any(piece in ("", ".", "..") or "\0" in piece for piece in pieces):
        raise Problem(NOT_FOUND, "There is no such file on the stick.")
    descriptor = os.open(root, _DIRECTORY)
    try:
        for piece in pieces[:-1]:
            inner = _open(piece, _DIRECTORY, descriptor)
            os.close(descriptor)
            descriptor = inner
        found = _open(pieces[-1], _FILE, descriptor)
        details = os.fstat(found)
        if not stat.S_ISREG(details.st_mode):
            os.close(found)
            raise Problem(NOT_FOUND, "This is not a plain file.")
        with os.fdopen(found, "rb") as file:
            content = b"" if details.st_size > limit_bytes else file.read(limit_bytes + 1)
            if details.st_size > limit_bytes or len(content) > limit_bytes:
                raise Problem(FILE_TOO_LARGE, f"A file may have at most {limit_bytes // 2**20} MiB.")
            return content
    finally:
        os.close(descriptor)


def _open(name: str, flags: int, directory: int) -> int:
    try:
        return os.open(name, flags, dir_fd=directory)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Problem(NOT_FOUND, "There is no such file on the stick.") from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a symbolic link; a socket
            raise Problem(NOT_FOUND, "Links and devices on a stick are not opened.") from error
        raise
