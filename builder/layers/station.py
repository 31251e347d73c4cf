"""The station layer: runtime/ and the rendered overlay. Small, so that a changed line is cheap.

Runs as a step: `python -m builder.layers.station SPEC`.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from builder.image import write_layer
from builder.keys import ROOT, files_below
from builder.layers import debrepo
from builder.layers.interpreter import compile_tree, unpack
from builder.layers.tree import clamp_times, copy_normalised, in_memory

HOME = "usr/lib/inkstick"
COMPILER = ("libc6", "zlib1g", "libexpat1", "libpython3.13-minimal", "python3.13-minimal")
"""The image's Python as far as `compileall` itself goes: the fewer, the sooner is a changed line on a stick."""
_ROOM_BYTES = 200_000_000
"""Interpreter and tree take a third of it."""


def main(spec: dict[str, Any]) -> None:
    """Spec: overlays (folders), profile (what templates see), interpreter, version, epoch, level, work, out."""
    work, out = Path(spec["work"]), Path(spec["out"])
    # On a disk thousands of small files cost more than all that is done with them: ext4 takes no inode that was given
    # back in the last minutes, and seeks past them all for every new file.
    with in_memory(work / "room", _ROOM_BYTES) as room, ThreadPoolExecutor() as unpacking:
        python, tree = room / "interpreter", room / "tree"
        unpack(python, [])  # its folders alone
        unpacked = [unpacking.submit(debrepo.unpack, Path(file), python) for file in spec["interpreter"]]
        _fill(tree, spec)
        for one in unpacked:
            one.result()
        compile_tree(python, tree / HOME, version=spec["version"], at=f"/{HOME}")
        for folder in (path for path in tree.rglob("*") if path.is_dir() and not path.is_symlink()):
            folder.chmod(0o755)
        tree.chmod(0o755)
        clamp_times(tree, spec["epoch"])
        write_layer(tree, out, name="station", level=spec["level"], all_root=True)


def _fill(tree: Path, spec: dict[str, Any]) -> None:
    for file in files_below(ROOT / "runtime"):
        copy_normalised(file, tree / HOME / file.relative_to(ROOT))
    for overlay in spec["overlays"]:
        render_overlay(Path(overlay), tree, spec["profile"])


def render_overlay(source: Path, target: Path, profile: dict[str, Any]) -> None:
    """Copy the overlay to `target`; `NAME.j2` becomes `NAME`. An undefined variable is an error."""
    templates = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    for file in files_below(source):
        place = target / file.relative_to(source)
        if file.suffix != ".j2" or file.is_symlink():
            copy_normalised(file, place)
            continue
        place = place.with_suffix("")
        copy_normalised(file, place)
        place.write_text(templates.from_string(file.read_text()).render(profile=profile))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
