"""What `verify` finds inside the layers of an ISO: rights, secrets, traces of the machine that built it, licences.

The layers are read where they lie in the ISO, by unsquashfs; nothing is mounted.
"""

from __future__ import annotations

import os
import platform
import re
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from builder.errors import VerifyError
from builder.isofs import Extent
from builder.keys import ROOT

_ROW = re.compile(r"^(\S{10}) \S+\s+(\d+|\d+,\s*\d+) \S+ \S+ squashfs-root/?(.*)$")
_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----\s*(?:[\w-]+:.*\s+)*[A-Za-z0-9+/=\s]{40}")
_SEARCHED = (
    *("etc", "root", "home", "opt", "srv", "var", "usr/local", "usr/lib/inkstick/runtime", "usr/share/inkstick"),
)
"""What is laid out and read whole: all that is not a package's own."""
_MAY_HOLD_A_KEY = (
    *("*.pem", "*.key", "*.priv", "*id_rsa*", "*id_ecdsa*", "*id_ed25519*", "*ssh_host_*"),
    *("*.p12", "*.pfx", "*.ppk", "*.pk8"),
)
_NEVER = (
    *("etc/apt/*", "etc/resolv.conf", "root/.*/*", "root/.bash_history", "root/.netrc", "etc/ssh/ssh_host_*"),
    *("var/log/*", "var/lib/apt/lists/*", "tmp/*", "var/tmp/*", "usr/sbin/policy-rc.d", "home/*/*"),
    *("etc/pip.conf", "etc/uv/uv.toml", "*.dist-info/direct_url.json"),
)
_NONE = ("", "uninitialized")
_SHORTEST_NAME = 4
_ATTRIBUTES_POINTER, _NO_TABLE = 56, (1 << 64) - 1
"""Squashfs 4.0: the superblock's eighth quadword from byte 0, and what it says where there is none."""
_MANY = 5


@dataclass(frozen=True)
class Entry:
    """A file of a layer. `mode` as `ls -l` writes it; `path` from the root, without the first slash; `device`: the
    numbers of a device node, "" for all else.
    """

    mode: str
    path: str
    device: str = ""

    @property
    def is_file(self) -> bool:
        return self.mode[0] == "-"


@dataclass(frozen=True)
class LayerFile:
    """A layer inside an ISO."""

    iso: Path
    extent: Extent

    def entries(self) -> list[Entry]:
        """Everything in it. Raises VerifyError if it cannot be listed."""
        rows = self._unsquashfs("-lln").decode(errors="surrogateescape").splitlines()
        found = (_ROW.match(row) for row in rows)
        return [
            Entry(row[1], row[3].partition(" -> ")[0], re.sub(r"\s", "", row[2]) if row[1][0] in "bc" else "")
            for row in found
            if row
        ]

    def read(self, path: str) -> bytes:
        return self._unsquashfs("-cat", path=path)

    def has_attributes(self) -> bool:
        """Whether its superblock points to a table of extended attributes."""
        with self.iso.open("rb") as stream:
            stream.seek(self.extent.offset + _ATTRIBUTES_POINTER)
            return struct.unpack("<Q", stream.read(8)) != (_NO_TABLE,)

    def unpack(self, folder: Path, *paths: str) -> None:
        """Write `paths` and what is below them under `folder`, as far as they are there."""
        words = ["unsquashfs", "-q", "-n", "-no-xattrs", "-f", "-d", str(folder), "-o", str(self.extent.offset)]
        subprocess.run([*words, str(self.iso), *paths], capture_output=True, check=False)

    def _unsquashfs(self, mode: str, path: str | None = None) -> bytes:
        words = ["unsquashfs", mode, "-o", str(self.extent.offset), str(self.iso), *([path] if path else [])]
        done = subprocess.run(words, capture_output=True, check=False)
        if done.returncode != 0:
            raise VerifyError(f"{self.extent.path} cannot be read: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout


def rights(listed: Mapping[str, list[Entry]]) -> str:
    """No program runs with another user's rights, no file is writable for all."""
    wrong = [
        f"{name}:/{entry.path} {entry.mode}"
        for name, entries in listed.items()
        for entry in entries
        if entry.is_file and (set("sS") & set(entry.mode[1:]) or entry.mode[8] == "w")
    ]
    return _none(wrong, "no setuid, setgid or world-writable file")


def devices(listed: Mapping[str, list[Entry]]) -> str:
    """No device node: the kernel makes them. 0,0 is overlayfs's mark of a file deleted from a layer below."""
    nodes = ((name, entry) for name, entries in listed.items() for entry in entries if entry.device)
    return _none([f"{name}:/{entry.path}" for name, entry in nodes if entry.device != "0,0"], "no device node")


def capabilities(layers: Mapping[str, LayerFile]) -> str:
    """No layer has extended attributes, in which a program's capabilities would lie."""
    return _none([name for name, layer in layers.items() if layer.has_attributes()], "no extended attribute")


def secrets(layers: Mapping[str, LayerFile], listed: Mapping[str, list[Entry]]) -> str:
    """No private key, by its name anywhere, or by what is in it where no package put it (see `traces`)."""
    wrong = [
        f"{name}:/{entry.path}"
        for name, entries in listed.items()
        for entry in entries
        if entry.is_file
        and any(fnmatch(entry.path, pattern) for pattern in _MAY_HOLD_A_KEY)
        and b"PRIVATE KEY" in layers[name].read(entry.path)
    ]
    return _none(wrong, "no private key")


def traces(
    layers: Mapping[str, LayerFile], listed: Mapping[str, list[Entry]], room: Path | None = None
) -> str:
    """Nothing is left of the machine that built it: files of its own, its name, its paths, a machine's id."""
    wrong = [
        f"{name}:/{entry.path}"
        for name, entries in listed.items()
        for entry in entries
        if entry.is_file and any(fnmatch(entry.path, pattern) for pattern in _NEVER)
    ]
    with tempfile.TemporaryDirectory(prefix="inkstick-verify-", dir=room) as laid_out:
        for name, layer in layers.items():
            folder = Path(laid_out) / name
            layer.unpack(folder, *_SEARCHED)
            wrong += [f"{name}:/{found}" for found in _telling(folder)]
    return _none(wrong, "nothing of the machine that built it")


def _telling(folder: Path) -> list[str]:
    """Files below `folder` that name this machine, its proxy or its builder, carry a machine's id or a private key."""
    host = platform.node().partition(".")[0]
    words = [str(ROOT), str(Path.home()), *_proxies()] + ([host] if len(host) >= _SHORTEST_NAME else [])
    named = re.compile(
        b"|".join(rb"(?<![\w-])" + re.escape(word.encode()) + rb"(?![\w-])" for word in _telling_of(words))
    )
    found = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        inside = str(file.relative_to(folder))
        content = file.read_bytes()
        if inside == "etc/machine-id" and content.decode(errors="replace").strip() not in _NONE:
            found.append(f"{inside} (a machine's id)")
        elif named.search(content):
            found.append(f"{inside} (names the machine that built it)")
        elif _KEY.search(content):
            found.append(f"{inside} (holds a private key)")
    return found


def _proxies() -> list[str]:
    """Host and port of the proxies that this machine goes through."""
    values = (os.environ.get(name, "") for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"))
    hosts = (urlsplit(value if "//" in value else f"//{value}").netloc.rpartition("@")[2] for value in values if value)
    return sorted({host for host in hosts if host})


def _telling_of(words: list[str]) -> list[str]:
    """Words that say something: the home of root and the names that every Debian has say nothing."""
    return [word for word in words if word not in ("/root", "/", "localhost", "debian", "inkstick")] or ["\0never\0"]


def licences(listed: Mapping[str, list[Entry]], about: Mapping[str, Any]) -> str:
    """Every package's copyright file, and the model's notice and terms, are on the stick.

    In an encrypted model layer the latter cannot be seen.
    """
    there = {entry.path for entries in listed.values() for entry in entries}
    packages = [row["name"] for row in about["packages"] if row["use"] in ("base", "driver")]
    lacking = [name for name in packages if not {f"usr/share/doc/{name}", f"usr/share/doc/{name}/copyright"} & there]
    if about.get("model") and not about["model"].get("encrypted"):
        papers = {f"usr/share/inkstick/model/{name}" for name in ("TERMS.md", "about.json")}
        lacking += sorted(papers - there)
    if lacking:
        raise VerifyError(f"no copyright file of {_some(lacking)}")
    return f"of {len(packages)} packages"


def against(about: Mapping[str, Any], lock: Mapping[str, Any]) -> str:
    """What the stick says is on it is what `lock` (a lock file's JSON) pins, file by file."""
    shipped = ("base", "boot", "driver")
    pinned = {row["sha256"]: row["name"] for row in lock["packages"] if row["use"] in shipped}
    pinned |= {row["sha256"]: row["project"] for row in lock["wheels"]}
    there = {row["sha256"]: row.get("name") or row["project"] for row in (*about["packages"], *about["wheels"])}
    lacking = sorted(name for sha256, name in pinned.items() if sha256 not in there)
    foreign = sorted(str(name) for sha256, name in there.items() if sha256 not in pinned)
    if lacking or foreign:
        raise VerifyError(
            f"in the lock alone: {_some(lacking) or 'nothing'}; on the stick alone: {_some(foreign) or 'nothing'}"
        )
    return f"{len(pinned)} files as the lock pins them"


def _none(wrong: list[str], finding: str) -> str:
    if wrong:
        raise VerifyError(_some(wrong))
    return finding


def _some(rows: list[str]) -> str:
    return ", ".join(rows[:_MANY]) + (f" and {len(rows) - _MANY} more" if len(rows) > _MANY else "")
