"""NVIDIA's own installer, a makeself archive: its modules built, its libraries laid out, its program never run.

Only the archive's own extraction is used. What it holds is documented in the README inside it
(chapter "Installed Components"): libraries as NAME.so.VERSION, `kernel/` and `kernel-open/`, `firmware/`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from builder.gpu.elf import soname
from builder.layers.scratch import chroot

LIBRARIES = (
    *("libcuda", "libnvidia-ml", "libnvidia-ptxjitcompiler", "libnvidia-nvvm", "libnvidia-cfg"),
    *("libnvidia-gpucomp", "libcudadebugger"),
)
"""What computing needs; no OpenGL, Vulkan, video or X. Those that a version does not have are passed over."""

PROGRAMS = ("nvidia-smi", "nvidia-modprobe", "nvidia-persistenced")
_LIBRARY_FOLDER = "usr/lib/x86_64-linux-gnu"


def extract(root: Path, archive: Path) -> Path:
    """Unpack `archive` inside `root`, where it can reach nothing else; returns the folder."""
    inside = root / "tmp/driver.run"
    shutil.copyfile(archive, inside)
    chroot(root, "sh", "/tmp/driver.run", "--extract-only", "--target", "/tmp/driver")
    inside.unlink()
    return root / "tmp/driver"


def build_modules(root: Path, archive: Path, kernel: str, key: str, certificate: str, flavour: str) -> list[Path]:
    """Build and sign the modules; they keep NVIDIA's own names."""
    extract(root, archive)
    place = f"/tmp/driver/{'kernel-open' if flavour == 'open' else 'kernel'}"
    headers = f"/usr/lib/modules/{kernel}/build"
    jobs = subprocess.run(["nproc"], check=True, capture_output=True, text=True).stdout.strip()
    chroot(root, "make", "-C", place, f"-j{jobs}", f"SYSSRC={headers}", f"SYSOUT={headers}", "modules")
    built = sorted((root / place.lstrip("/")).glob("*.ko"))
    (signer,) = (path for path in (root / "usr/lib").glob("linux-kbuild-*/scripts/sign-file"))
    for module in built:
        inside = f"/{module.relative_to(root)}"
        chroot(root, f"/{signer.relative_to(root)}", "sha256", f"/{key}", f"/{certificate}", inside)
    return built


def lay_out(folder: Path, tree: Path, version: str) -> None:
    """Copy libraries with their links, programs and firmware of the extracted `folder` into `tree`."""
    libraries = tree / _LIBRARY_FOLDER
    libraries.mkdir(parents=True, exist_ok=True)
    for name in LIBRARIES:
        source = folder / f"{name}.so.{version}"
        if not source.is_file():
            continue
        target = libraries / source.name
        shutil.copyfile(source, target)
        target.chmod(0o644)
        (libraries / (soname(target) or source.name)).symlink_to(source.name)
    if not (libraries / f"libcuda.so.{version}").is_file():
        raise SystemExit(f"the runfile holds no libcuda.so.{version}: is it that version's, for Linux on x86_64?")
    (tree / "usr/bin").mkdir(parents=True, exist_ok=True)
    for name in PROGRAMS:
        shutil.copyfile(folder / name, tree / "usr/bin" / name)
        (tree / "usr/bin" / name).chmod(0o755)
    firmware = tree / "usr/lib/firmware/nvidia" / version
    firmware.mkdir(parents=True)
    for blob in sorted((folder / "firmware").glob("*.bin")):
        shutil.copyfile(blob, firmware / blob.name)
        (firmware / blob.name).chmod(0o644)
