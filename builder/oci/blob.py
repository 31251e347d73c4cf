"""A file tree as a blob of an OCI image: a tar archive, packed with gzip. Equal trees give equal bytes.

Runs as a step: `python -m builder.oci.blob SPEC`. gzip, not zstd: old versions of Docker load nothing else.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

from builder.layers.tree import clamp_times, in_memory
from builder.sandbox import report

_LEVEL = 6
_BUFFER = 1 << 20


@dataclass(frozen=True)
class Blob:
    """`digest`: the SHA-256 of the packed bytes, `diff_id`: of the tar archive inside. `size` in bytes, packed."""

    digest: str
    diff_id: str
    size: int


class _Hashed:
    """Passes bytes on, and keeps their hash and number."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        return self._sink.write(data)

    def flush(self) -> None:
        self._sink.flush()

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def main(spec: dict[str, Any]) -> None:
    """Spec: work, out, tree_bytes, epoch, and either layer (the folder of its result) with only (paths from the
    root; none for all), or files (path to text) with folders (path to mode and owner).
    """
    work, out = Path(spec["work"]), Path(spec["out"])
    with in_memory(work / "root", spec["tree_bytes"]) as room:
        tree = room / "tree"
        if "layer" in spec:
            _unpack(Path(spec["layer"]) / "image.squashfs", tree, spec["only"])
        else:
            _write(tree, spec["files"], spec["folders"])
        clamp_times(tree, spec["epoch"])
        with (out / "blob").open("wb") as sink:
            made = pack(tree, sink, report)
    (out / "blob.json").write_text(json.dumps(asdict(made)))


def _unpack(image: Path, tree: Path, only: list[str]) -> None:
    words = ["unsquashfs", "-q", "-n", "-no-xattrs", "-d", str(tree), str(image), *only]
    print("$", *words, flush=True)
    subprocess.run(words, check=True)


def _write(tree: Path, files: dict[str, str], folders: dict[str, tuple[int, int]]) -> None:
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    for name, (mode, owner) in folders.items():
        (tree / name).mkdir(parents=True, exist_ok=True)
        (tree / name).chmod(mode)
        os.chown(tree / name, owner, owner)
    for path in (tree, *tree.rglob("*")):
        os.utime(path, (0, 0))


def pack(tree: Path, sink: IO[bytes], seen: Callable[[int, int], None] = lambda done, total: None) -> Blob:
    """Write everything below `tree` to `sink`: sorted, owners as numbers, whole seconds."""
    packed = _Hashed(sink)
    # No name and no time of its own in the gzip header.
    stream = cast(IO[bytes], packed)
    with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=stream, mtime=0) as gz:
        plain = _Hashed(cast(IO[bytes], gz))
        target = cast(IO[bytes], plain)
        with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_BUFFER) as archive:
            paths = sorted(tree.rglob("*"), key=lambda path: path.relative_to(tree).parts)
            total = sum(path.lstat().st_size for path in paths)
            for path in paths:
                _add(archive, path, tree)
                seen(plain.size, total)
    return Blob(packed.digest, plain.digest, packed.size)


def _add(archive: tarfile.TarFile, path: Path, tree: Path) -> None:
    row = archive.gettarinfo(path, arcname=str(path.relative_to(tree)))
    row.uname = row.gname = ""
    row.mtime = int(row.mtime)
    if row.isreg():
        with path.open("rb") as content:
            archive.addfile(row, content)
    else:
        archive.addfile(row)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
