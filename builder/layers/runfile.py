"""NVIDIA's own installer, a makeself archive: its modules built, its libraries laid out, its program never run.

Only the archive's own extraction is used. What it holds is documented in the README inside it
(chapter "Installed Components"): libraries as NAME.so.VERSION, `kernel/` and `kernel-open/`, `firmware/`.
What Debian's packages bring besides, a unit for the persistence daemon and its user, is in SETTINGS.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from builder.gpu.elf import soname
from builder.gpu.sources import adapt
from builder.layers.scratch import chroot
from builder.layers.tree import copy_normalised

LIBRARIES = (
    *("libcuda", "libnvidia-ml", "libnvidia-ptxjitcompiler", "libnvidia-nvvm", "libnvidia-cfg"),
    "libnvidia-gpucomp",
)
"""What computing needs: no OpenGL, Vulkan, video, X or debugger. Those that a version lacks are passed over."""

PROGRAMS = ("nvidia-smi", "nvidia-modprobe", "nvidia-persistenced")
SETTINGS = Path(__file__).with_name("runfile-settings")
_LIBRARY_FOLDER = "usr/lib/x86_64-linux-gnu"
_LICENCE = "usr/share/doc/nvidia-driver/copyright"


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
    for change in adapt(root / place.lstrip("/"), list((root / "usr/src").glob("linux-headers-*"))):
        print(change, flush=True)
    jobs = subprocess.run(["nproc"], check=True, capture_output=True, text=True).stdout.strip()
    # By its release, not by a folder: Debian's headers lie in two, and only from the release does
    # NVIDIA's Makefile find both. Without one it would take this machine's.
    chroot(root, "make", "-C", place, f"-j{jobs}", f"KERNEL_UNAME={kernel}", "modules")
    built = sorted((root / place.lstrip("/")).glob("*.ko"))
    (signer,) = (path for path in (root / "usr/lib").glob("linux-kbuild-*/scripts/sign-file"))
    for module in built:
        inside = f"/{module.relative_to(root)}"
        chroot(root, "strip", "--strip-debug", inside)
        chroot(root, f"/{signer.relative_to(root)}", "sha256", f"/{key}", f"/{certificate}", inside)
    return built


def lay_out(folder: Path, tree: Path, version: str) -> None:
    """Copy libraries with their links, programs, firmware and licence of the extracted `folder` into `tree`."""
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
    licence = tree / _LICENCE
    licence.parent.mkdir(parents=True)
    shutil.copyfile(folder / "LICENSE", licence)
    licence.chmod(0o644)


def settle(tree: Path) -> None:
    """Add what is no part of the archive: settings, and the persistence daemon's own user."""
    for file in sorted(path for path in SETTINGS.rglob("*") if path.is_file()):
        copy_normalised(file, tree / file.relative_to(SETTINGS))
    chroot(tree, "systemd-sysusers")
