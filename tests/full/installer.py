"""NVIDIA's installer, put together from those parts of it that Debian distributes one by one.

The file itself is not to be had without NVIDIA's site. Debian's packages hold, unaltered, the
libraries, programs and firmware that were in it, and the sources of the modules with Debian's
patches. Here they are laid out as in the installer, behind a script that answers its
`--extract-only --target`. What only the real file can show needs INKSTICK_TEST_RUNFILE.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from builder.gpu.supported import from_debian
from builder.inputs.lock import Lock
from builder.inputs.store import Store

_HEAD = b"""#!/bin/sh
# Parts of NVIDIA's installer, behind a script.
[ "$1" = --extract-only ] && [ "$2" = --target ] || { echo "this would install a driver" >&2; exit 1; }
mkdir "$3" && tail -n +6 "$0" | tar -x -C "$3"
exit $?
"""
_PROGRAMS = ("nvidia-smi", "nvidia-modprobe", "nvidia-persistenced")
_DRAWING = ("libGLX_nvidia.so.{0}", "libnvidia-glcore.so.{0}", "libEGL_nvidia.so.{0}", "libnvidia-encode.so.{0}")
_ALSO_THERE = ("nvidia_icd.json", "nvidia-drm_gbm.so", "32/libcuda.so.{0}", "nvidia-installer", "nvidia-xconfig")


def write_installer(file: Path, work: Path, lock: Lock, store: Store, version: str) -> Path:
    """Write the installer of driver `version` to `file`, from the packages that `lock` names for the driver."""
    debian, tree = work / "debian", work / "installer"
    debian.mkdir(parents=True)
    for package in lock.packages:
        if package.use in ("driver", "driver-source"):
            subprocess.run(["dpkg-deb", "--extract", store.path(package.sha256), debian], check=True)
    (tree / "firmware").mkdir(parents=True)
    shutil.copytree(next((debian / "usr/src").glob(f"nvidia-*-{version}")), tree / "kernel")
    (tree / "kernel/dkms.conf").unlink()
    for library in (debian / "usr/lib").rglob(f"*.so.{version}"):
        shutil.copyfile(library, tree / library.name)
    for name in _PROGRAMS:
        shutil.copyfile(next(filter(_is_program, (debian / "usr").rglob(name))), tree / name)
        (tree / name).chmod(0o4755)
    for blob in (debian / "usr/lib/firmware/nvidia" / version).iterdir():
        shutil.copyfile(blob, tree / "firmware" / blob.name)
    shutil.copyfile(debian / "usr/share/doc/libcuda1/copyright", tree / "LICENSE")
    chips = [{"devid": f"0x{device}"} for device in from_debian((debian / "usr/share/nvidia/nvidia.ids").read_text())]
    (tree / "supported-gpus").mkdir()
    (tree / "supported-gpus/supported-gpus.json").write_text(json.dumps({"chips": chips}))
    for name in (*_DRAWING, *_ALSO_THERE):
        place = tree / name.format(version)
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"not for a station that computes")
    with file.open("wb") as whole:
        whole.write(_HEAD)
        whole.flush()
        subprocess.run(["tar", "-c", "--owner=0", "--group=0", "-C", tree, "."], stdout=whole, check=True)
    return file


def _is_program(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF"
