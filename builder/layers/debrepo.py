"""Debian inside a step without a network: a local repository made from the store, and a tree from it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from builder.sandbox import report

_NO_DEPMOD = "usr/local/sbin/depmod"
"""Found before the real one by packages' scripts. Who wants an index of the modules calls depmod once, at the end."""

_DPKG_LINE = re.compile(r"^(?:Unpacking|Setting up) ([^ :]+)")


def write_repository(folder: Path, packages: list[dict[str, Any]]) -> Path:
    """Write a flat repository of exactly `packages` (file, content, size, sha256); returns it."""
    folder.mkdir(parents=True)
    for row in packages:
        (folder / row["file"]).symlink_to(row["content"])
    with ThreadPoolExecutor() as pool:
        stanzas = list(pool.map(_stanza, packages))
    index = "\n".join(stanzas).encode()
    (folder / "Packages").write_bytes(index)
    digest = hashlib.sha256(index).hexdigest()
    # mmdebstrap looks for essential packages in the suite it was asked for.
    release = f"Suite: trixie\nCodename: trixie\nSHA256:\n {digest} {len(index)} Packages\n"
    (folder / "Release").write_text(release)
    return folder


def _stanza(row: dict[str, Any]) -> str:
    control = subprocess.run(["dpkg-deb", "--field", row["content"]], check=True, capture_output=True)
    text = control.stdout.decode().rstrip("\n")
    return f"{text}\nFilename: ./{row['file']}\nSize: {row['size']}\nSHA256: {row['sha256']}\n"


def bootstrap(tree: Path, repository: Path, packages: list[dict[str, Any]]) -> None:
    """Install every one of `packages` (name, size) into `tree`: the repository holds nothing else."""
    sizes: dict[str, int] = {row["name"]: row["size"] for row in packages}
    argv = [
        *("mmdebstrap", "--mode=root", "--variant=essential", "--verbose", "--format=directory"),
        f"--include={','.join(sizes)}",
        "--aptopt=Apt::Install-Recommends false",
        "--aptopt=Acquire::Languages none",
        "--aptopt=DPkg::Path /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=force-confold",
        "--skip=check/empty,check/signed-by",
        # The initramfs is made later, once, from our own files (INITRD below), and the modules' index after the cuts;
        # here both would be made and thrown away.
        '--essential-hook=mkdir -p "$1/etc/initramfs-tools"',
        '--essential-hook=echo "update_initramfs=no" > "$1/etc/initramfs-tools/update-initramfs.conf"',
        f'--essential-hook=install -D -m 755 /bin/true "$1/{_NO_DEPMOD}"',
        *("trixie", str(tree), f"deb [trusted=yes] copy:{repository} ./"),
    ]
    print("$", *argv, flush=True)
    environment = {**os.environ, "INITRD": "No"}  # what the kernel's hooks (initramfs-tools) ask before they make one
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
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
    (tree / _NO_DEPMOD).unlink()


def unpack(package: Path, root: Path) -> None:
    """Lay a package's files out below `root`, and run nothing of it."""
    archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", root], stdin=archive.stdout, check=True)
    if archive.wait() != 0:
        raise SystemExit(f"cannot unpack {package}")
