"""The base layer: Debian from the lock, without what a station must not or need not have.

Runs as a step: `python -m builder.layers.base SPEC`, in namespaces of its own, as root.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from builder.image import write_layer
from builder.layers import module_index
from builder.layers.accounts import drop_setuid, lock_accounts
from builder.layers.debrepo import bootstrap, write_repository
from builder.layers.licences import debian_licences
from builder.layers.tree import clamp_times, cut, in_memory


def main(spec: dict[str, Any]) -> None:
    """Spec: packages (name, version, file, content), cuts, sysusers, epoch, level, work, out, tree_bytes."""
    work, out = Path(spec["work"]), Path(spec["out"])
    with in_memory(work / "root", spec["tree_bytes"]) as room:
        tree, beside = room / "tree", room / "modules"
        with module_index.started(beside, spec["packages"], spec["cuts"]) as modules:
            repository = write_repository(work / "repository", spec["packages"])
            bootstrap(tree, repository, spec["packages"])
            _settle(tree, Path(spec["sysusers"]))
            _export(tree, out)
            (out / "licences.json").write_text(json.dumps(debian_licences(tree), indent=1))
            removed = cut(tree, spec["cuts"])
            (out / "cuts.json").write_text(json.dumps(removed, indent=1))
            module_index.settle(tree, beside, modules)
        _rebuild_indexes(tree)
        clamp_times(tree, spec["epoch"])
        write_layer(tree, out, name="base", level=spec["level"], all_root=False)


def _settle(tree: Path, sysusers: Path) -> None:
    """Users of the station, a locked root, and nothing that two builds could differ in."""
    config = tree / "usr/lib/sysusers.d/inkstick.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(sysusers, config)
    subprocess.run(["chroot", tree, "systemd-sysusers"], check=True)
    lock_accounts(tree)
    drop_setuid(tree)
    shutil.rmtree(tree / "dev")  # the kernel's devtmpfs lies over it, and a user namespace can make no devices
    (tree / "dev").mkdir(mode=0o755)
    (tree / "etc/machine-id").write_text("")
    (tree / "var/lib/dbus/machine-id").unlink(missing_ok=True)
    (tree / "var/lib/systemd/random-seed").unlink(missing_ok=True)
    for name in ("etc/hostname", "etc/resolv.conf", "etc/initramfs-tools/update-initramfs.conf"):
        (tree / name).unlink(missing_ok=True)


def _export(tree: Path, out: Path) -> None:
    """The kernel goes to the medium beside the layers, not into one."""
    kernels = sorted((tree / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise SystemExit(f"expected one kernel in /boot, found {len(kernels)}")
    version = kernels[0].name.removeprefix("vmlinuz-")
    shutil.copyfile(kernels[0], out / "vmlinuz")
    (out / "kernel-version").write_text(version)
    for file in (tree / "boot").iterdir():
        if not file.name.startswith("config-"):
            file.unlink()


def _rebuild_indexes(tree: Path) -> None:
    """Indexes that name files: after the cuts, and with time stamps that will still hold."""
    subprocess.run(["chroot", tree, "ldconfig"], check=True)
    shutil.rmtree(tree / "var/cache/ldconfig", ignore_errors=True)
    if (tree / "usr/lib/udev/hwdb.bin").exists():
        # It gives its finished file a name by way of /proc.
        subprocess.run(["mount", "-t", "proc", "proc", tree / "proc"], check=True)
        subprocess.run(["chroot", tree, "systemd-hwdb", "--usr", "update"], check=True)
        subprocess.run(["umount", tree / "proc"], check=True)
    clamp_times(tree, int(os.environ["SOURCE_DATE_EPOCH"]))
    # fontconfig trusts its cache only while the folders' time stamps are those it saw.
    if (tree / "usr/bin/fc-cache").exists():
        subprocess.run(["chroot", tree, "fc-cache", "--force", "--system-only"], check=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
