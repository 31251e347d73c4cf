"""The base layer: Debian from the lock, without what a station must not or need not have.

Runs as a step: `python -m builder.layers.base SPEC`, in namespaces of its own, as root.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from builder.image import write_layer
from builder.layers.debrepo import write_repository
from builder.layers.tree import clamp_times, cut, in_memory
from builder.sandbox import report

_DPKG_LINE = re.compile(r"^(?:Unpacking|Setting up) ([^ :]+)")


def main(spec: dict[str, Any]) -> None:
    """Spec: packages (name, version, file, content), cuts, sysusers, epoch, level, work, out, tree_bytes."""
    work, out = Path(spec["work"]), Path(spec["out"])
    with in_memory(work / "root", spec["tree_bytes"]) as room:
        tree = room / "tree"
        repository = write_repository(work / "repository", spec["packages"])
        _bootstrap(tree, repository, spec)
        _settle(tree, Path(spec["sysusers"]))
        _export(tree, out)
        removed = cut(tree, spec["cuts"])
        (out / "cuts.json").write_text(json.dumps(removed, indent=1))
        _rebuild_indexes(tree)
        clamp_times(tree, spec["epoch"])
        write_layer(tree, out, name="base", level=spec["level"], all_root=False)


def _bootstrap(tree: Path, repository: Path, spec: dict[str, Any]) -> None:
    """Install every locked package: the local repository holds nothing else."""
    sizes: dict[str, int] = {row["name"]: row["size"] for row in spec["packages"]}
    argv = [
        *("mmdebstrap", "--mode=root", "--variant=essential", "--verbose", "--format=directory"),
        f"--include={','.join(sizes)}",
        "--aptopt=Apt::Install-Recommends false",
        "--aptopt=Acquire::Languages none",
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=force-confold",
        "--skip=check/empty,check/signed-by",
        # The initramfs is made later, once, from our own files; here it would be made and thrown away.
        '--essential-hook=mkdir -p "$1/etc/initramfs-tools"',
        '--essential-hook=echo "update_initramfs=no" > "$1/etc/initramfs-tools/update-initramfs.conf"',
        *("trixie", str(tree), f"deb [trusted=yes] copy:{repository} ./"),
    ]
    print("$", *argv, flush=True)
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    done = 0
    for line in process.stdout:
        print(line, end="", flush=True)
        named = _DPKG_LINE.match(line)
        if named:
            # Each package is unpacked once and set up once.
            done += sizes.get(named[1], 0)
            report(done, 2 * sum(sizes.values()))
    if process.wait() != 0:
        raise SystemExit("mmdebstrap failed")


def _settle(tree: Path, sysusers: Path) -> None:
    """Users of the station, a locked root, and nothing that two builds could differ in."""
    config = tree / "usr/lib/sysusers.d/inkstick.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(sysusers, config)
    subprocess.run(["chroot", tree, "systemd-sysusers"], check=True)
    shadow = tree / "etc/shadow"
    # No password fits, root's included; and the day of the last change is not the day of the build.
    shadow.write_text(re.sub(r"^([^:]*):[^:]*:\d+:", r"\1:!*:1:", shadow.read_text(), flags=re.MULTILINE))
    for backup in ("passwd-", "group-", "shadow-", "gshadow-", "subuid-", "subgid-", ".pwd.lock"):
        (tree / "etc" / backup).unlink(missing_ok=True)
    _drop_setuid(tree)
    (tree / "etc/machine-id").write_text("")
    (tree / "var/lib/dbus/machine-id").unlink(missing_ok=True)
    (tree / "var/lib/systemd/random-seed").unlink(missing_ok=True)
    for name in ("etc/hostname", "etc/resolv.conf", "etc/initramfs-tools/update-initramfs.conf"):
        (tree / name).unlink(missing_ok=True)


def _drop_setuid(tree: Path) -> None:
    """No user of the station gains rights by running a program; what needs root's is a service."""
    for folder, _, files in os.walk(tree):
        for name in files:
            file = Path(folder, name)
            mode = file.lstat().st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
                file.chmod(stat.S_IMODE(mode) & ~(stat.S_ISUID | stat.S_ISGID))


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
    (version,) = (path.name for path in (tree / "usr/lib/modules").iterdir())
    subprocess.run(["chroot", tree, "depmod", version], check=True)
    subprocess.run(["chroot", tree, "ldconfig"], check=True)
    shutil.rmtree(tree / "var/cache/ldconfig", ignore_errors=True)
    clamp_times(tree, int(os.environ["SOURCE_DATE_EPOCH"]))
    # fontconfig trusts its cache only while the folders' time stamps are those it saw.
    if (tree / "usr/bin/fc-cache").exists():
        subprocess.run(["chroot", tree, "fc-cache", "--force", "--system-only"], check=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
