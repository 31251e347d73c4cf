"""Data of the station that was made from others' works, by hand and before any build: it lies in the source, and
`sources.json` beside it names its files, its licence and what it was made from."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from builder.keys import ROOT

FOLDERS = (ROOT / "runtime/pinyin",)
_LIST = "sources.json"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """`licence`: SPDX. `purl`: a package URL, as CycloneDX takes it."""

    name: str
    version: str
    licence: str
    purl: str


class DerivedData(_Strict):
    """`licence`: SPDX, of the whole. `files`: by path below its folder, their SHA-256."""

    name: str
    version: str
    licence: str
    files: dict[str, str]
    made_from: tuple[Source, ...]


def derived() -> list[DerivedData]:
    """All there is, by folder."""
    return [DerivedData.model_validate_json((folder / _LIST).read_bytes()) for folder in FOLDERS]


def faults(folder: Path) -> list[str]:
    """Files that are not as the list says."""
    listed = DerivedData.model_validate_json((folder / _LIST).read_bytes()).files
    there = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in listed}
    return [name for name in listed if there[name] != listed[name]]
