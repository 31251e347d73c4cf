"""What lies beside an ISO: its checksum, what is on it, its bill of materials, and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builder import kernels, papers
from builder.cache import Cache
from builder.gpu.report import as_text
from builder.manifest import Manifest
from builder.plan import Plan


def checksum_file(iso: Path) -> Path:
    return iso.with_name(f"{iso.name}.sha256")


def manifest_file(iso: Path) -> Path:
    return iso.with_name(f"{iso.name.removesuffix('.iso')}.manifest.json")


def kernels_file(iso: Path, kind: str) -> Path:
    return iso.with_name(f"{iso.name.removesuffix('.iso')}.kernels.{kind}")


def write_beside(
    iso: Path, sha256: str, made: Manifest, plan: Plan, cache: Cache, *, about: dict[str, Any], bill: bytes
) -> None:
    """Write the checksum as `sha256sum -c` takes it, manifest, `bill` of materials, provenance, and machine code.

    `about`: as builder.papers.describe tells.
    """
    checksum_file(iso).write_text(f"{sha256}  {iso.name}\n")
    told = {"file": iso.name, "size": iso.stat().st_size, "sha256": sha256, **about}
    manifest_file(iso).write_text(json.dumps(told, indent=1) + "\n")
    iso.with_suffix(".sbom.cdx.json").write_bytes(bill)
    statement = papers.provenance(iso.name, sha256, made, plan)
    iso.with_suffix(".provenance.json").write_text(json.dumps(statement, indent=1) + "\n")
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
