"""A local Debian repository made from the store, for apt inside a step without a network."""

from __future__ import annotations

import hashlib
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def write_repository(folder: Path, packages: list[dict[str, Any]]) -> Path:
    """Write a flat repository of exactly `packages` (file, content, size, sha256); returns it."""
    folder.mkdir(parents=True)
    for row in packages:
        (folder / row["file"]).symlink_to(row["content"])
    with ThreadPoolExecutor() as pool:
        stanzas = list(pool.map(_stanza, packages))
    index = "\n".join(stanzas).encode()
    (folder / "Packages").write_bytes(index)
    digest = hashlib.sha256(index).hexdigest()
    # mmdebstrap looks for essential packages in the suite it was asked for.
    release = f"Suite: trixie\nCodename: trixie\nSHA256:\n {digest} {len(index)} Packages\n"
    (folder / "Release").write_text(release)
    return folder


def _stanza(row: dict[str, Any]) -> str:
    control = subprocess.run(["dpkg-deb", "--field", row["content"]], check=True, capture_output=True)
    text = control.stdout.decode().rstrip("\n")
    return f"{text}\nFilename: ./{row['file']}\nSize: {row['size']}\nSHA256: {row['sha256']}\n"
