"""What `verify` finds inside the layers of an ISO: rights, secrets, traces of the machine that built it, licences.

The layers are read where they lie in the ISO, by unsquashfs; nothing is mounted, and nothing is laid out on a disk.
"""

from __future__ import annotations

import os
import platform
import re
import struct
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
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
"""What is read whole: all that is not a package's own."""
_MAY_HOLD_A_KEY = (
    *("*.pem", "*.key", "*.priv", "*id_rsa*", "*id_ecdsa*", "*id_ed25519*", "*ssh_host_*"),
    *("*.p12", "*.pfx", "*.ppk", "*.pk8"),
)
_NEVER = (
    *("etc/apt/*", "etc/resolv.conf", "root/.*/*", "root/.bash_history", "root/.netrc", "etc/ssh/ssh_host_*"),
    *("var/log/*", "var/lib/apt/lists/*", "tmp/*", "var/tmp/*", "usr/sbin/policy-rc.d", "home/*/*"),
    *("etc/pip.conf", "etc/uv/uv.toml", "*.dist-info/direct_url.json"),
)
_BATCH_FILES, _BATCH_BYTES = 400, 32 << 20
_NONE = ("", "uninitialized")
_SHORTEST_NAME = 4
_ATTRIBUTES_POINTER, _NO_TABLE = 56, (1 << 64) - 1
"""Squashfs 4.0: the superblock's eighth quadword from byte 0, and what it says where there is none."""
_MANY = 5


@dataclass(frozen=True)
class Entry:
    """A file of a layer. `mode` as `ls -l` writes it; `path` from the root, without the first slash; `device`: the
    numbers of a device node, "" for all else; `size`: bytes of a file.
    """

    mode: str
    path: str
    device: str = ""
    size: int = 0

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
        return [_entry(row) for row in map(_ROW.match, rows) if row]

    def read(self, path: str) -> bytes:
        return self._unsquashfs("-cat", path)

    def read_many(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """Each file with its bytes, many by one call of unsquashfs, which writes them one after the other."""
        for batch in _batches(entries):
            content, place = memoryview(self._unsquashfs("-cat", *(entry.path for entry in batch))), 0
            if len(content) != sum(entry.size for entry in batch):
                raise VerifyError(f"{self.extent.path}: files are not of the size that is listed")
            for entry in batch:
                yield entry, bytes(content[place : place + entry.size])
                place += entry.size

    def has_attributes(self) -> bool:
        """Whether its superblock points to a table of extended attributes."""
        with self.iso.open("rb") as stream:
            stream.seek(self.extent.offset + _ATTRIBUTES_POINTER)
            return struct.unpack("<Q", stream.read(8)) != (_NO_TABLE,)

    def unpack(self, folder: Path, *paths: str) -> None:
        """Write `paths` and what is below them under `folder`, as far as they are there."""
        words = ["unsquashfs", "-q", "-n", "-no-xattrs", "-f", "-d", str(folder), "-o", str(self.extent.offset)]
        subprocess.run([*words, str(self.iso), *paths], capture_output=True, check=False)

    def _unsquashfs(self, mode: str, *paths: str) -> bytes:
        words = ["unsquashfs", "-no-wildcards", mode, "-o", str(self.extent.offset), str(self.iso), *paths]
        done = subprocess.run(words, capture_output=True, check=False)
        if done.returncode != 0:
            raise VerifyError(f"{self.extent.path} cannot be read: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout


def _entry(row: re.Match[str]) -> Entry:
    mode, number, path = row[1], row[2], row[3].partition(" -> ")[0]
    return Entry(mode, path, re.sub(r"\s", "", number)) if mode[0] in "bc" else Entry(mode, path, size=int(number))


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """As many as a command line and memory take well; a larger file is a batch of its own."""
    batch: list[Entry] = []
    bytes_ = 0
    for entry in entries:
        if batch and (len(batch) == _BATCH_FILES or bytes_ + entry.size > _BATCH_BYTES):
            yield batch
            batch, bytes_ = [], 0
        batch.append(entry)
        bytes_ += entry.size
    if batch:
        yield batch


def _matching(*patterns: str) -> re.Pattern[str]:
    """Any of these shell patterns, `*` beyond slashes as well."""
    return re.compile("|".join(map(translate, patterns)))


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
    named = _matching(*_MAY_HOLD_A_KEY)
    wrong = [
        f"{name}:/{entry.path}"
        for name, entries in listed.items()
        for entry in entries
        if entry.is_file and named.match(entry.path) and b"PRIVATE KEY" in layers[name].read(entry.path)
    ]
    return _none(wrong, "no private key")


def traces(layers: Mapping[str, LayerFile], listed: Mapping[str, list[Entry]]) -> str:
    """Nothing is left of the machine that built it: files of its own, its name, its paths, a machine's id."""
    never, searched = _matching(*_NEVER), _matching(*(f"{folder}/*" for folder in _SEARCHED))
    wrong = [
        f"{name}:/{entry.path}"
        for name, entries in listed.items()
        for entry in entries
        if entry.is_file and never.match(entry.path)
    ]
    words = _names_of_this_machine()
    for name, layer in layers.items():
        files = (entry for entry in listed[name] if entry.is_file and searched.match(entry.path))
        for entry, content in layer.read_many(files):
            told = _telling(entry.path, content, words)
            wrong += [f"{name}:/{entry.path} ({told})"] if told else []
    return _none(wrong, "nothing of the machine that built it")


def _telling(path: str, content: bytes, words: list[bytes]) -> str:
    """What a file tells of the machine that built it: its name, proxy or builder, its id, a private key; else ""."""
    if path == "etc/machine-id" and content.decode(errors="replace").strip() not in _NONE:
        return "a machine's id"
    if any(word in content and re.search(rb"(?<![\w-])" + re.escape(word) + rb"(?![\w-])", content) for word in words):
        return "names the machine that built it"
    return "holds a private key" if _KEY.search(content) else ""


def _names_of_this_machine() -> list[bytes]:
    host = platform.node().partition(".")[0]
    words = [str(ROOT), str(Path.home()), *_proxies()] + ([host] if len(host) >= _SHORTEST_NAME else [])
    # The home of root and the names that every Debian has say nothing.
    return [word.encode() for word in words if word not in ("/root", "/", "localhost", "debian", "inkstick")]


def _proxies() -> list[str]:
    """Host and port of the proxies that this machine goes through."""
    values = (os.environ.get(name, "") for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"))
    hosts = (urlsplit(value if "//" in value else f"//{value}").netloc.rpartition("@")[2] for value in values if value)
    return sorted({host for host in hosts if host})


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
