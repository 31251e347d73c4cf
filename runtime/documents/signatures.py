"""Kinds of files, by their first bytes."""

from __future__ import annotations

from enum import Enum

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"})
_PDF_JUNK = 1024
"""Readers accept this much before a PDF's header (ISO 32000-1, annex H.3.4.1)."""


class Kind(Enum):
    """IMAGE is what Pillow opens; HEIF needs its plug-in."""

    IMAGE = "image"
    HEIF = "heif"
    PDF = "pdf"
    ZIP = "zip"
    UNKNOWN = "unknown"


def kind_of(data: bytes) -> Kind:
    """The kind that the first bytes claim; whether it is one, opening shows."""
    head = data[:16]
    if head.startswith((b"\xff\xd8", b"\x89PNG", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"BM", b"GIF8")):
        return Kind.IMAGE
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.IMAGE
    if head[4:8] == b"ftyp":
        return Kind.HEIF if head[8:12] in _HEIF_BRANDS else Kind.UNKNOWN
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Kind.ZIP
    return Kind.PDF if b"%PDF-" in data[:_PDF_JUNK] else Kind.UNKNOWN
