"""The evidence of an export: which pages of which files, read by what, changed by whom, gone out as what."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from runtime.config import StationConfig
from runtime.evidence.chain import Chain
from runtime.kiosk.exports import Taken

NOBODY = "station"
"""Who did it, where no name was given."""


@dataclass(frozen=True)
class ExportedFile:
    """A file as it lies on the stick. `pages`: the numbers of those in it."""

    name: str
    format: str
    bytes: int
    sha256: str
    pages: tuple[int, ...]


@dataclass(frozen=True)
class Evidence:
    """`content`: the file; `closing`: the hash to note elsewhere."""

    content: bytes
    closing: str


def evidence(
    config: StationConfig, session: str, who: str, pages: Sequence[Taken], files: Sequence[ExportedFile]
) -> Evidence:
    """`session`: what tells this start of the station from others. Reads the models' files, once."""
    who = who or NOBODY
    chain = Chain(
        station=config.profile,
        version=config.version,
        **build(config),
        model=_model(config),
        session=session,
        who=who,
        at=_now(),
        pages=len(pages),
    )
    for taken in pages:
        chain.add("page", **_page(taken))
        for edit in taken.page.edits.log:
            at = edit.at.isoformat(timespec="milliseconds")
            chain.add(
                "edit", page=taken.number, target=edit.target, before=edit.before, after=edit.after, at=at, who=who
            )
    for file in files:
        chain.add("file", **asdict(file))
    content = chain.close(at=_now())
    return Evidence(content, chain.head)


def build(config: StationConfig) -> dict[str, Any]:
    """The build's id and its layers with their dm-verity root hashes, as the boot script left them; None on a desk.

    The id is that of builder/manifest.py: the first 16 digits of the SHA-256 of the manifest's text.
    """
    try:
        lines = [] if config.booted_layers is None else config.booted_layers.read_text().splitlines()
    except OSError:
        lines = []
    if not lines:
        return {"build": None, "layers": []}
    head = f"inkstick-manifest 1\nprofile {config.profile}\nversion {config.version}\n"
    manifest = head + "".join(f"layer {line}\n" for line in lines)
    layers = [{"name": words[0], "file": words[1], "root_hash": words[4]} for words in map(str.split, lines)]
    return {"build": hashlib.sha256(manifest.encode()).hexdigest()[:16], "layers": layers}


def _model(config: StationConfig) -> dict[str, str] | None:
    """Which weights the station holds: their title, revision and licence."""
    if config.about is None:
        return None
    try:
        about = json.loads((config.about / "about.json").read_text())
    except (OSError, ValueError):
        return None
    return {key: str(about.get(key, "")) for key in ("title", "commit", "licence")}


def _page(taken: Taken) -> dict[str, Any]:
    page, now = taken.page, taken.now.page
    read = page.result
    assert read is not None
    raw = read.text if read.generation is None else read.generation.raw
    raw = raw.encode("utf-8", "replace").decode()  # as it can be written, and hashed again by whoever reads it
    want = page.want
    return {
        "page": taken.number,
        "name": page.name,
        "origin": page.origin,
        "sheet": page.place + 1,
        "sheets": page.sheets,
        "source_sha256": page.source_sha256 or None,
        "source_bytes": page.source_bytes,
        "engine": {
            "name": read.engine.name,
            "version": read.engine.version,
            "models": [{"name": name, "sha256": _model_hash(name)} for name in read.engine.models],
        },
        "asked": {
            "task": str(want.task),
            "form": want.form,
            "keys": list(want.keys),
            "to": want.to,
            "prompt": want.prompt,
        },
        "task": read.task.value,
        "prompt": None if read.generation is None else read.generation.prompt or None,
        "raw": raw,
        "raw_sha256": _sha256(raw),
        "text_sha256": _sha256(now.text),
        "form": None if taken.now.fields is None else taken.now.fields.form,
        "fields": [] if taken.now.fields is None else _fields(taken),
    }


def _fields(taken: Taken) -> list[dict[str, str]]:
    assert taken.now.fields is not None
    return [{"key": field.key, "value_sha256": _sha256(field.value)} for field in taken.now.fields.fields]


@cache
def _model_hash(name: str) -> str | None:
    """Of the files that RapidOCR's wheel carries; None for others, which their layer's root hash vouches for."""
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None or Path(name).name != name:
        return None
    file = Path(spec.origin).parent / "models" / name
    try:
        with open(file, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
