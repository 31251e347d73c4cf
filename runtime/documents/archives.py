"""ZIP files: their members are read into memory one by one and never written anywhere."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from runtime.config import Limits
from runtime.documents.refusals import ARCHIVE_BOMB, DAMAGED_DOCUMENT, EMPTY_ARCHIVE, LOCKED_DOCUMENT
from runtime.problems import Problem

__all__ = ["EMPTY_ARCHIVE", "member", "names"]

_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, OSError, ValueError, EOFError, NotImplementedError, KeyError,
           IndexError, OverflowError, RuntimeError)  # fmt: skip
_LEAST_BOMB_BYTES = 1 << 20
"""Below this any ratio is harmless: a white page packs well."""


def names(data: bytes, limits: Limits) -> list[str]:
    """Members that may be pages, in the order of their names, numbers by value.

    Raises Problem: DAMAGED_DOCUMENT, ARCHIVE_BOMB.
    """
    with _opened(data) as archive:
        entries = [entry for entry in _entries(archive) if not _is_clutter(entry)]
        if len(entries) > limits.archive_files:
            raise Problem(ARCHIVE_BOMB, f"It holds more than {limits.archive_files} files.")
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > limits.archive_bytes:
            raise Problem(ARCHIVE_BOMB, f"It unpacks to more than {limits.archive_bytes} bytes.")
        return sorted((entry.filename for entry in entries), key=_natural)


def member(data: bytes, name: str, limits: Limits) -> bytes:
    """One member's bytes. Raises Problem: DAMAGED_DOCUMENT, LOCKED_DOCUMENT, ARCHIVE_BOMB."""
    with _opened(data) as archive:
        try:
            entry = archive.getinfo(name)
            if entry.flag_bits & 1:
                raise Problem(LOCKED_DOCUMENT, "Pack it without a password.")
            with archive.open(entry) as source:
                # What the directory says of its size is a claim: read no more than is allowed.
                held = source.read(limits.upload_bytes + 1)
        except _BROKEN as error:
            raise Problem(DAMAGED_DOCUMENT, "Pack it again.") from error
    if len(held) > limits.upload_bytes:
        raise Problem(ARCHIVE_BOMB, f"A file in it is larger than {limits.upload_bytes} bytes.")
    if len(held) > max(_LEAST_BOMB_BYTES, limits.archive_ratio * max(1, entry.compress_size)):
        raise Problem(ARCHIVE_BOMB, f"A file in it is packed more than {limits.archive_ratio} to one.")
    return held


def _opened(data: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except _BROKEN as error:
        raise Problem(DAMAGED_DOCUMENT, "Pack it again.") from error


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [entry for entry in archive.infolist() if not entry.is_dir()]


def _is_clutter(entry: zipfile.ZipInfo) -> bool:
    """What systems add beside people's files."""
    parts = entry.filename.replace("\\", "/").split("/")
    return parts[0] == "__MACOSX" or parts[-1].startswith(".") or parts[-1].lower() in ("thumbs.db", "desktop.ini")


def _natural(name: str) -> list[tuple[int, str]]:
    """`page2` before `page10`."""
    parts: list[tuple[int, str]] = []
    digits = ""
    for sign in name + "\0":
        if sign.isascii() and sign.isdigit():
            digits += sign
            continue
        if digits:
            parts.append((int(digits), ""))
            digits = ""
        parts.append((0, sign))
    return parts
