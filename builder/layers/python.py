"""A layer of wheels, unpacked and byte-compiled for the image's interpreter.

Runs as a step: `python -m builder.layers.python SPEC`. It reads no other layer: the interpreter that
compiles is unpacked from the same Debian packages as the station's.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from builder.gpu.fatbin import scan
from builder.image import write_layer
from builder.layers.interpreter import compile_tree, unpack
from builder.layers.tree import clamp_times, cut, in_memory

HOME = "usr/lib/inkstick"


def main(spec: dict[str, Any]) -> None:
    """Spec: name, site, wheels (file, content, sha256, requirement), interpreter, version, cuts, scan, epoch, level,
    tree_bytes, work, out. `site` is the folder below /usr/lib/inkstick, which several layers may share.
    """
    place = f"{HOME}/{spec['site']}"
    work, out = Path(spec["work"]), Path(spec["out"])
    wheels = work / "wheels"
    wheels.mkdir(parents=True)
    for row in spec["wheels"]:
        (wheels / row["file"]).symlink_to(row["content"])
    with in_memory(work / "root", spec["tree_bytes"]) as room:
        site = room / "tree" / place
        site.mkdir(parents=True)
        _install(wheels, site, spec)
        removed = cut(site, spec["cuts"])
        (out / "cuts.json").write_text(json.dumps(removed, indent=1))
        if spec["scan"]:
            (out / "kernels.json").write_text(json.dumps([found.as_json() for found in scan(site)], indent=1))
        unpack(room / "interpreter", [Path(file) for file in spec["interpreter"]])
        compile_tree(room / "interpreter", site, version=spec["version"], at=f"/{place}")
        clamp_times(room / "tree", spec["epoch"])
        write_layer(room / "tree", out, name=spec["name"], level=spec["level"], all_root=True)


def _install(wheels: Path, site: Path, spec: dict[str, Any]) -> None:
    requirements = "".join(f"{row['requirement']} --hash=sha256:{row['sha256']}\n" for row in spec["wheels"])
    listing = wheels.parent / "requirements.txt"
    listing.write_text(requirements)
    argv = [
        *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config", "--no-cache", "--offline"),
        *("--no-index", "--find-links", str(wheels), "--no-deps", "--require-hashes", "--link-mode", "copy"),
        *("--python-version", spec["version"], "--python-platform", "x86_64-manylinux_2_40"),
        *("--target", str(site), "-r", str(listing)),
    ]
    print("$", *argv, flush=True)
    subprocess.run(argv, check=True)
    _normalise(site)


def _normalise(site: Path) -> None:
    """Remove what says how and when the wheels were installed, and programs nobody calls."""
    for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"):
        for file in site.glob(f"*.dist-info/{name}"):
            file.unlink()
    shutil.rmtree(site / "bin", ignore_errors=True)
    (site / ".lock").unlink(missing_ok=True)
    for path in site.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
