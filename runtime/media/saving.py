"""Writing documents into a stick's folder so that nothing there is ever lost or half written."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from runtime.media.mounting import CommandError, run
from runtime.media.wire import SAVE_FOLDER, Document, Saved, SaveProgress
from runtime.problems import STICK_FULL, STICK_UNREADABLE, Problem

OnProgress = Callable[[SaveProgress], None]
Contents = Iterable[Iterable[bytes]]
"""Of each part in order, its bytes, in as many pieces as they come."""
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\/:*?"<>|\ud800-\udfff]')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)
_STEM_BYTES = 200
_SPARE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Written:
    """What was written: the reply for the caller, and each file's SHA-256 to compare with."""

    saved: Saved
    digests: dict[str, bytes]


def write(root: Path, documents: tuple[Document, ...], contents: Contents, on_progress: OnProgress) -> Written:
    """Write every part, flushed to the device, under a name that was free. All of them, or none.

    Raises Problem STICK_FULL before anything is written if it cannot fit; OSError or Problem otherwise,
    after removing what this call wrote.
    """
    wanted = sum(part.size_bytes for document in documents for part in document.parts)
    _require_space(root, wanted + _SPARE_BYTES)
    folder = root / SAVE_FOLDER
    if folder.is_symlink():
        raise Problem(STICK_UNREADABLE, f'"{SAVE_FOLDER}" on the stick is a link; rename it and save again.')
    made_folder = not folder.exists()
    folder.mkdir(exist_ok=True)
    digests: dict[str, bytes] = {}
    try:
        _write_all(folder, documents, iter(contents), on_progress, digests)
        on_progress(SaveProgress("flush", len(documents), len(documents)))
        _flush_filesystem(folder)
    except BaseException:
        for name in digests:
            with contextlib.suppress(OSError):
                (folder / name).unlink()
        if made_folder:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    return Written(Saved(SAVE_FOLDER, tuple(digests)), digests)


def compare(root: Path, written: Written, on_progress: OnProgress) -> None:
    """Read everything back. Raises Problem STICK_UNREADABLE if a byte differs."""
    total = len(written.digests)
    for done, (name, digest) in enumerate(written.digests.items()):
        on_progress(SaveProgress("check", done, total))
        path = root / written.saved.folder / name
        if not path.is_file() or _digest(path) != digest:
            raise Problem(
                STICK_UNREADABLE,
                f'"{name}" did not come back from the stick as it was written. Save to another stick.',
            )
    on_progress(SaveProgress("check", total, total))


def _digest(path: Path) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _write_all(
    folder: Path,
    documents: tuple[Document, ...],
    contents: Contents,
    on_progress: OnProgress,
    digests: dict[str, bytes],
) -> None:
    taken = {name.casefold() for name in os.listdir(folder)}
    stream = iter(contents)
    for done, document in enumerate(documents):
        on_progress(SaveProgress("write", done, len(documents)))
        stem = free_stem(document, taken)
        for part in document.parts:
            name = stem + part.suffix
            digests[name] = b""  # so that it is removed, whatever becomes of it
            digests[name] = _write_one(folder, name, next(stream))
            taken.add(name.casefold())
    on_progress(SaveProgress("write", len(documents), len(documents)))
    _fsync_folder(folder)
    _fsync_folder(folder.parent)


def _write_one(folder: Path, name: str, content: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    temporary = folder / f".{os.getpid()}.inkstick-part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(temporary, flags, 0o644), "wb") as file:
            for piece in content:
                file.write(piece)
                digest.update(piece)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, folder / name)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return digest.digest()


def names(root: Path, documents: tuple[Document, ...]) -> tuple[str, ...]:
    """What the parts would be called if they were saved now, in their order."""
    folder = root / SAVE_FOLDER
    taken = {name.casefold() for name in os.listdir(folder)} if folder.is_dir() else set()
    found: list[str] = []
    for document in documents:
        stem = free_stem(document, taken)
        found += [stem + part.suffix for part in document.parts]
        taken |= {name.casefold() for name in found[-len(document.parts) :]}
    return tuple(found)


def free_stem(document: Document, taken: set[str]) -> str:
    """A name that any file system takes and that is free for every part: "scan", "scan-2", ...

    `taken` holds case-folded names: FAT takes "Scan.txt" and "scan.TXT" for one file.
    """
    stem = _FORBIDDEN.sub("_", document.stem).strip(". ") or "page"
    while len(stem.encode()) > _STEM_BYTES:
        stem = stem[:-1].rstrip(". ")
    if _RESERVED.match(stem):
        stem = f"_{stem}"
    candidate, number = stem, 1
    while any((candidate + part.suffix).casefold() in taken for part in document.parts):
        number += 1
        candidate = f"{stem}-{number}"
    return candidate


def _require_space(root: Path, wanted_bytes: int) -> None:
    space = os.statvfs(root)
    free_bytes = space.f_bavail * space.f_frsize
    if free_bytes < wanted_bytes:
        raise Problem(
            STICK_FULL,
            f"Saving needs {wanted_bytes // 1024} KB; the stick has {free_bytes // 1024} KB left. Use another stick.",
            extra={"wanted_bytes": wanted_bytes, "free_bytes": free_bytes},
        )


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_filesystem(folder: Path) -> None:
    """syncfs(2): what fsync left, the file system's own tables among it, is on the device after it.

    Python does not offer the call, and ctypes may want memory that a hardened service must not have.
    """
    try:
        run("sync", "--file-system", "--", str(folder))
    except CommandError as error:
        raise OSError(errno.EIO, str(error)) from error
