"""The image around its layers: configuration, manifest, index; and all of it as one archive.

OCI image specification 1.0 (layout, manifest, configuration), with Docker's own manifest.json, by which versions
before 25 load it, and Docker's `Healthcheck`, which OCI has no field for.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builder.errors import VerifyError
from builder.oci.blob import Blob

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_SECOND_NS = 1_000_000_000
_CHUNK = 1 << 22


@dataclass(frozen=True)
class Image:
    """An image to be written. `layers`: name, blob, file of the blob; lowest first. `tag`: name and version."""

    name: str
    tag: str
    layers: Sequence[tuple[str, Blob, Path]]
    user: str
    environment: Mapping[str, str]
    command: Sequence[str]
    ports: Sequence[int]
    health: Sequence[str]
    labels: Mapping[str, str]
    epoch: int

    @property
    def reference(self) -> str:
        """What to run, in Docker and Podman alike: no registry has it."""
        return f"localhost/{self.name}:{self.tag}"


def write_archive(image: Image, target: Path) -> None:
    """Write the archive. Equal images give equal bytes. Raises VerifyError if a blob is not what it was."""
    created = datetime.fromtimestamp(image.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = _json(_config(image, created))
    manifest = _json(_manifest(image, config))
    described = {
        **_descriptor(MANIFEST, manifest),
        "annotations": {
            "org.opencontainers.image.created": created,
            "org.opencontainers.image.ref.name": image.tag,
            "io.containerd.image.name": image.reference,
        },
    }
    docker = {
        "Config": f"blobs/sha256/{_sha256(config)}",
        "RepoTags": [image.reference],
        "Layers": [f"blobs/sha256/{blob.digest}" for _, blob, _ in image.layers],
    }
    small = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [described]}),
        "manifest.json": _json([docker]),
        f"blobs/sha256/{_sha256(config)}": config,
        f"blobs/sha256/{_sha256(manifest)}": manifest,
    }
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(small.items()):
            archive.addfile(_entry(name, len(content), image.epoch), io.BytesIO(content))
        for name, blob, file in image.layers:
            _check(name, blob, file)
            with file.open("rb") as source:
                archive.addfile(_entry(f"blobs/sha256/{blob.digest}", blob.size, image.epoch), source)


def _config(image: Image, created: str) -> dict[str, Any]:
    return {
        "created": created,
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "User": image.user,
            "ExposedPorts": {f"{port}/tcp": {} for port in image.ports},
            "Env": [f"{name}={value}" for name, value in sorted(image.environment.items())],
            "Cmd": list(image.command),
            "WorkingDir": "/",
            "StopSignal": "SIGTERM",
            "Labels": dict(sorted(image.labels.items())),
            "Healthcheck": {
                "Test": ["CMD", *image.health],
                "Interval": 30 * _SECOND_NS,
                "Timeout": 10 * _SECOND_NS,
                "StartPeriod": 300 * _SECOND_NS,
                "Retries": 3,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{blob.diff_id}" for _, blob, _ in image.layers]},
        "history": [{"created": created, "created_by": f"inkstick {name}"} for name, _, _ in image.layers],
    }


def _manifest(image: Image, config: bytes) -> dict[str, Any]:
    layers = [
        {"mediaType": LAYER, "digest": f"sha256:{blob.digest}", "size": blob.size} for _, blob, _ in image.layers
    ]
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(_CONFIG, config),
        "layers": layers,
        "annotations": dict(sorted(image.labels.items())),
    }


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{_sha256(content)}", "size": len(content)}


def _check(name: str, blob: Blob, file: Path) -> None:
    digest = hashlib.sha256()
    for piece in _pieces(file):
        digest.update(piece)
    if digest.hexdigest() != blob.digest:
        raise VerifyError(f"the layer {name} in the cache is damaged", hint="python3 build.py clean, then build anew")


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while piece := source.read(_CHUNK):
            yield piece


def _entry(name: str, size: int, epoch: int) -> tarfile.TarInfo:
    row = tarfile.TarInfo(name)
    row.size, row.mtime, row.mode = size, epoch, 0o644
    return row


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
