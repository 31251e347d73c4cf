"""The index of the kernel's modules, made while the packages are still being installed.

depmod unpacks every module, on one processor, and waits for nothing but the kernel's package. So it runs beside the
installation, over a tree of its own with the same modules: the profile's cuts are made there as well.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from builder.layers.interpreter import unpack
from builder.layers.tree import cut

_MODULES = "usr/lib/modules"
_DEPMOD = {"kmod", "libkmod2", "libc6", "liblzma5", "libssl3t64", "libzstd1", "zlib1g"}
"""The packages that depmod runs from."""


@contextmanager
def started(room: Path, packages: list[dict[str, Any]], cuts: dict[str, list[str]]) -> Iterator[Future[None]]:
    """Begin an index in the empty folder `room`, for `packages` (name, content) less `cuts`; see `settle`."""
    with ThreadPoolExecutor(1) as beside:
        yield beside.submit(_make, room, packages, cuts)


def settle(tree: Path, room: Path, made: Future[None]) -> None:
    """Give `tree`, from which all has been cut, its index: the one made in `room`, if it is of the same modules."""
    made.result()
    (version,) = (path.name for path in (tree / _MODULES).iterdir())
    index, place = room / _MODULES / version, tree / _MODULES / version
    if _modules(index) == _modules(place):
        for file in sorted(index.glob("modules.*")):
            if not (place / file.name).exists():  # what the package itself brings is there
                shutil.copyfile(file, place / file.name)
                (place / file.name).chmod(0o644)
    else:
        subprocess.run(["chroot", tree, "depmod", version], check=True)
    shutil.rmtree(room)


def _make(room: Path, packages: list[dict[str, Any]], cuts: dict[str, list[str]]) -> None:
    kernels = [row for row in packages if row["name"].startswith("linux-image-")]
    unpack(room, [Path(row["content"]) for row in packages if row["name"] in _DEPMOD or row in kernels])
    cut(room, {name: [glob for glob in globs if _MODULES in glob] for name, globs in cuts.items()})
    for folder in (room / _MODULES).iterdir():
        subprocess.run(["chroot", room, "depmod", folder.name], check=True)


def _modules(folder: Path) -> set[str]:
    """Names of all files that depmod reads, whether or not they are there as links."""
    return {str(file.relative_to(folder)) for file in folder.rglob("*.ko*")} if folder.is_dir() else set()
