"""What lies beside an ISO: its checksum, and a manifest of all that is on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builder import contents, kernels
from builder.cache import Cache
from builder.gpu.report import as_text
from builder.manifest import Manifest, as_json
from builder.plan import Plan


def checksum_file(iso: Path) -> Path:
    return iso.with_name(f"{iso.name}.sha256")


def manifest_file(iso: Path) -> Path:
    return iso.with_name(f"{iso.name.removesuffix('.iso')}.manifest.json")


def kernels_file(iso: Path, kind: str) -> Path:
    return iso.with_name(f"{iso.name.removesuffix('.iso')}.kernels.{kind}")


def write_beside(iso: Path, sha256: str, made: Manifest, plan: Plan, cache: Cache) -> None:
    """Write the checksum as `sha256sum -c` takes it, the manifest as JSON, and the report on machine code."""
    checksum_file(iso).write_text(f"{sha256}  {iso.name}\n")
    manifest_file(iso).write_text(json.dumps(_describe(iso, sha256, made, plan, cache), indent=1) + "\n")
    if plan.profile.driver:
        found = kernels.rows(plan, cache)
        kernels_file(iso, "json").write_text(json.dumps(found, indent=1) + "\n")
        kernels_file(iso, "txt").write_text(as_text(found))


def is_current(iso: Path, key: str, cache: Cache) -> bool:
    """Whether `iso` is the verified result of `key`, untouched since.

    What was verified is remembered in the cache by size, time stamp and inode, not beside the
    ISO: equal builds have equal files beside them.
    """
    return _verified(cache).get(str(iso)) == [key, *_identity(iso)] and checksum_file(iso).exists()


def remember(iso: Path, key: str, cache: Cache) -> None:
    """Note that `iso` was verified as the result of `key`."""
    (cache.root / "verified.json").write_text(json.dumps({**_verified(cache), str(iso): [key, *_identity(iso)]}))


def _verified(cache: Cache) -> dict[str, list[object]]:
    try:
        found: dict[str, list[object]] = json.loads((cache.root / "verified.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _identity(iso: Path) -> list[int]:
    try:
        stat = iso.stat()
    except FileNotFoundError:
        return []
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino]


def _describe(iso: Path, sha256: str, made: Manifest, plan: Plan, cache: Cache) -> dict[str, Any]:
    steps = {step.name: step for step in plan.steps}
    layers = [
        {**layer, "key": steps[str(layer["name"])].key, "cuts": _cuts(steps[str(layer["name"])].folder(cache))}
        for layer in as_json(made)
    ]
    return {
        "file": iso.name,
        "size": iso.stat().st_size,
        "sha256": sha256,
        "id": made.id,
        "profile": made.profile,
        "version": made.version,
        "source_date_epoch": plan.lock.source_date_epoch,
        "layers": layers,
        **contents.describe(plan, cache),
    }


def _cuts(folder: Path) -> dict[str, int]:
    """Bytes saved by each rule of what the layer leaves out."""
    try:
        found: dict[str, int] = json.loads((folder / "cuts.json").read_text())
    except FileNotFoundError:
        return {}
    return found
