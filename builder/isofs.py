"""Read an ISO without mounting it: where each file's bytes lie. For what boots it see builder/partitions.py."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from builder.errors import StepError, VerifyError
from builder.run import output

_BLOCK = 2048
_LBA = re.compile(r"^File data lba:\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*'(.*)'$", re.MULTILINE)


@dataclass(frozen=True)
class Extent:
    """A file's bytes inside the ISO: offset and size in bytes. Files here are contiguous."""

    path: str
    offset: int
    size: int


def files(iso: Path) -> dict[str, Extent]:
    """Every file of the ISO by its path, as `/inkstick/boot/vmlinuz`.

    Raises VerifyError if the file is no ISO or a file lies in pieces.
    """
    if not iso.is_file():
        raise VerifyError(f"there is no file {iso}", hint="give the path of an ISO, as in dist/")
    try:
        text = output(
            ["xorriso", "-abort_on", "FATAL", "-indev", iso, "-find", "/", "-type", "f", "-exec", "report_lba", "--"]
        )
    except StepError as error:
        raise VerifyError(
            f"{iso} cannot be read as an ISO:\n{error.message}", hint="the file is not an ISO, or it is cut short"
        ) from None
    found: dict[str, Extent] = {}
    for section, lba, _blocks, size, path in _LBA.findall(text):
        if section != "0" or path in found:
            raise VerifyError(f"{path} lies in several pieces")
        found[path] = Extent(path, int(lba) * _BLOCK, int(size))
    if not found:
        raise VerifyError(f"{iso} holds no files", hint="the file is not an ISO, or it is cut short")
    return found


def read(iso: Path, extent: Extent) -> bytes:
    """The bytes of one file."""
    with iso.open("rb") as stream:
        stream.seek(extent.offset)
        return stream.read(extent.size)


def links(iso: Path) -> list[str]:
    """Symbolic links of the ISO."""
    text = output(["xorriso", "-abort_on", "FATAL", "-indev", iso, "-find", "/", "-type", "l", "--"])
    return [line.strip().strip("'") for line in text.splitlines() if line.startswith("'/")]
