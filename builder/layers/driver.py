"""The driver layer: NVIDIA's libraries, firmware and modules, as they change the base layer.

Runs as a step: `python -m builder.layers.driver SPEC`. Debian's packages are installed by dpkg in a
scratch copy of the base layer; what differs afterwards, less what only the installation needed, is
the layer. With a runfile its libraries are laid out instead.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from builder.gpu.supported import write_supported
from builder.image import write_layer
from builder.layers import runfile
from builder.layers.accounts import drop_setuid, lock_accounts
from builder.layers.debrepo import unpack
from builder.layers.licences import debian_licences
from builder.layers.scratch import Scratch, chroot, over_image
from builder.layers.tree import clamp_times, cut

CERTIFICATE = "usr/share/inkstick/driver/certificate.der"


def main(spec: dict[str, Any]) -> None:
    """Spec: base, modules (folders), packages, lent, runfile or none, version, cuts, epoch, level, work, out."""
    work, out = Path(spec["work"]), Path(spec["out"])
    base, modules = Path(spec["base"]), Path(spec["modules"])
    scratch = over_image(work, base / "image.squashfs")
    kernel = (base / "kernel-version").read_text()
    _check_kernel(modules, kernel)
    if spec["runfile"]:
        runfile.lay_out(runfile.extract(scratch.root, Path(spec["runfile"])), scratch.root, spec["version"])
        runfile.settle(scratch.root)
    else:
        _install(scratch.root, work, spec)
    write_supported(scratch.root)
    _add_modules(scratch.root, modules, kernel)
    chroot(scratch.root, "depmod", kernel)
    chroot(scratch.root, "ldconfig")
    if not list((scratch.root / "usr/lib").rglob(f"libcuda.so.{spec['version']}")):
        raise SystemExit(f"the libraries are not version {spec['version']}, which the modules are")
    lock_accounts(scratch.root)
    drop_setuid(scratch.upper)
    keep_what_differs(scratch)
    (out / "licences.json").write_text(json.dumps(debian_licences(scratch.upper), indent=1))
    removed = cut(scratch.upper, spec["cuts"])
    (out / "cuts.json").write_text(json.dumps(removed, indent=1))
    _drop_empty_folders(scratch)
    clamp_times(scratch.upper, spec["epoch"])
    write_layer(scratch.upper, out, name="driver", level=spec["level"], all_root=False)


def _check_kernel(modules: Path, kernel: str) -> None:
    built_for = json.loads((modules / "modules.json").read_text())["kernel"]
    if built_for != kernel:
        raise SystemExit(f"the modules are built for kernel {built_for}, the image has {kernel}: lock again")


def _install(root: Path, work: Path, spec: dict[str, Any]) -> None:
    """Let dpkg install the packages. `lent` are unpacked first: the base layer has cut what their scripts need."""
    for file in spec["lent"]:
        unpack(Path(file), root)
    settings = root / "etc/initramfs-tools/update-initramfs.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("update_initramfs=no\n")
    folder = root / "tmp/packages"
    folder.mkdir()
    for row in spec["packages"]:
        shutil.copyfile(row["content"], folder / row["file"])
    files = [f"/tmp/packages/{row['file']}" for row in spec["packages"]]
    for name in ("var/cache/debconf", "var/log", "var/lib/dpkg/updates"):
        (root / name).mkdir(parents=True, exist_ok=True)
    options = ("--force-unsafe-io", "--force-confold", "--force-depends")
    chroot(root, "dpkg", *options, "--unpack", *files)
    chroot(root, "dpkg", "--force-unsafe-io", "--force-confold", "--configure", "--pending")
    settings.unlink()


def _add_modules(root: Path, modules: Path, kernel: str) -> None:
    place = root / "usr/lib/modules" / kernel / "updates/dkms"
    place.mkdir(parents=True, exist_ok=True)
    for file in sorted(modules.glob("*.ko*")):
        shutil.copyfile(file, place / file.name)
        (place / file.name).chmod(0o644)
    certificate = root / CERTIFICATE
    certificate.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(modules / "certificate.der", certificate)
    certificate.chmod(0o644)


def keep_what_differs(scratch: Scratch) -> None:
    """Delete from the upper folder what the lower one has just so.

    Raises SystemExit for an opaque folder: overlayfs marks it by an attribute, which layers do not have.
    """
    for folder, _, files in os.walk(scratch.upper, topdown=False):
        if _is_opaque(folder) and (scratch.lower / Path(folder).relative_to(scratch.upper)).is_dir():
            raise SystemExit(f"{folder} replaces a folder of the base layer, which a layer cannot say")
        for name in files:
            above = Path(folder, name)
            below = scratch.lower / above.relative_to(scratch.upper)
            if _same(above, below):
                above.unlink()


def _is_opaque(folder: str) -> bool:
    for name in ("trusted.overlay.opaque", "user.overlay.opaque"):  # the latter in a user namespace
        with suppress(OSError):
            if os.getxattr(folder, name) == b"y":
                return True
    return False


def _same(above: Path, below: Path) -> bool:
    try:
        ours, theirs = above.lstat(), below.lstat()
    except FileNotFoundError:
        return False
    if (ours.st_mode, ours.st_uid, ours.st_gid) != (theirs.st_mode, theirs.st_uid, theirs.st_gid):
        return False
    if stat.S_ISLNK(ours.st_mode):
        return above.readlink() == below.readlink()
    return stat.S_ISREG(ours.st_mode) and filecmp.cmp(above, below, shallow=False)


def _drop_empty_folders(scratch: Scratch) -> None:
    """Folders that the base layer has, and that hold nothing of this one."""
    for folder, _, _ in os.walk(scratch.upper, topdown=False):
        path = Path(folder)
        below = scratch.lower / path.relative_to(scratch.upper)
        if path != scratch.upper and not any(path.iterdir()) and below.is_dir():
            path.rmdir()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
