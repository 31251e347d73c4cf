"""Verify an ISO by itself: boot entries, names, sizes, manifest, and every block of every layer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builder import isofs, layer_audit, manifest, partitions, verity
from builder.console import Meter
from builder.errors import VerifyError
from builder.inspection import read_contents
from builder.iso import LARGEST_FILE_BYTES, SUMS
from builder.verity import Verity

_LAYERS = "/inkstick/layers/"
_INITRD = "/inkstick/boot/initrd.img"
_LONGEST_NAME = 40
_NOT_ON_FAT = set('<>:"|?*\\')
_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{kind}{number}" for kind in ("COM", "LPT") for number in range(1, 10))}
_REQUIRED = (
    *("/EFI/BOOT/BOOTX64.EFI", "/boot/grub/grub.cfg", "/boot/grub/loopback.cfg"),
    *("/inkstick/boot/vmlinuz", _INITRD),
)


@dataclass
class Report:
    """What was checked: a line each, and whether it held."""

    iso: Path
    id: str = ""
    checks: list[tuple[str, bool, str]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(held for _, held, _ in self.checks)

    def attempt(self, name: str, check: Callable[[], str]) -> None:
        """Record what `check` returns as its finding, or the VerifyError it raises as its failure."""
        try:
            self.checks.append((name, True, check()))
        except VerifyError as error:
            self.checks.append((name, False, error.message))


def verify(iso: Path, meter: Meter, lock: Mapping[str, Any] | None = None) -> Report:
    """Re-read `iso` alone; with `lock`, a lock file's JSON, also compare it with that. Every check is made,
    whatever the ones before it found.

    Raises VerifyError only where the file is no ISO at all.
    """
    report = Report(iso)
    files = isofs.files(iso)
    report.attempt("boots on BIOS and UEFI", lambda: partitions.check_el_torito(iso))
    report.attempt("partition table", lambda: partitions.check_gpt(iso))
    report.attempt("names and sizes", lambda: _names(iso, files))
    report.attempt("files that booting needs", lambda: _required(files))
    report.attempt("files beside the layers", lambda: _sums(iso, files))
    found = _manifest(report, iso, files)
    if found is None:
        return report
    report.id = found.id
    report.attempt("marker of this build", lambda: _marker(iso, files, found))
    report.attempt("layers as listed", lambda: _listing(files, found))
    total = sum(layer.size for layer in found.layers)
    done = 0

    def on_bytes(count: int) -> None:
        nonlocal done
        done += count
        meter(done, total)

    inside = Report(iso)
    with ThreadPoolExecutor(1) as beside:
        looking = beside.submit(_look_inside, inside, files, found, lock)
        for layer in found.layers:
            report.attempt(f"layer {layer.name}", lambda layer=layer: _layer(iso, files, layer, on_bytes))  # type: ignore[misc]
        if all(held for name, held, _ in report.checks if name.startswith("layer ")):  # an altered one tells nothing
            looking.result()
            report.checks += inside.checks
    return report


def _look_inside(
    report: Report,
    files: dict[str, isofs.Extent],
    found: manifest.Manifest,
    lock: Mapping[str, Any] | None,
) -> None:
    layers = {
        layer.name: layer_audit.LayerFile(report.iso, files[_LAYERS + layer.file])
        for layer in found.layers
        if _LAYERS + layer.file in files and not layer.encrypted
    }
    closed = [layer.name for layer in found.layers if layer.encrypted]
    listed: dict[str, list[layer_audit.Entry]] = {}

    def listing() -> str:
        listed.update({name: layer.entries() for name, layer in layers.items()})
        told = f"{sum(map(len, listed.values()))} entries"
        return f"{told}; encrypted, and not looked into: {', '.join(closed)}" if closed else told

    report.attempt("files in the layers", listing)
    report.attempt("rights of programs", lambda: layer_audit.rights(listed))
    report.attempt("device nodes", lambda: layer_audit.devices(listed))
    report.attempt("file capabilities", lambda: layer_audit.capabilities(layers))
    report.attempt("private keys", lambda: layer_audit.secrets(layers, listed))
    report.attempt("traces of the builder", lambda: layer_audit.traces(layers, listed))
    about: dict[str, Any] = {}

    def contents() -> str:
        about.update(read_contents(report.iso))
        if [layer["root_hash"] for layer in about["layers"]] != [layer.root_hash for layer in found.layers]:
            raise VerifyError("the description on the medium is of other layers")
        return f"{len(about['packages'])} packages, {len(about['wheels'])} wheels"

    report.attempt("description", contents)
    if about:
        report.attempt("licences", lambda: layer_audit.licences(listed, about))
        if lock is not None:
            report.attempt("against the lock", lambda: layer_audit.against(about, lock))


def _names(iso: Path, files: dict[str, isofs.Extent]) -> str:
    for path, extent in files.items():
        name = path.rsplit("/", 1)[-1]
        if len(name) > _LONGEST_NAME or not path.isascii():
            raise VerifyError(f"{path}: names are ASCII and at most {_LONGEST_NAME} characters")
        if set(name) & _NOT_ON_FAT or name.endswith((".", " ")) or name.split(".")[0].upper() in _DEVICES:
            raise VerifyError(f"{path}: Windows and FAT32 allow no such name")
        if extent.size > LARGEST_FILE_BYTES:
            raise VerifyError(f"{path} reaches 4 GiB: a copy to FAT32 would fail")
    if len({path.lower() for path in files}) != len(files):
        raise VerifyError("two names differ by case only")
    if links := isofs.links(iso):
        raise VerifyError(f"{links[0]} is a link, which FAT32 has not")
    return f"{len(files)} files"


def _required(files: dict[str, isofs.Extent]) -> str:
    lacking = [path for path in _REQUIRED if path not in files or files[path].size == 0]
    if lacking:
        raise VerifyError(f"missing: {', '.join(lacking)}")
    return "present"


def _sums(iso: Path, files: dict[str, isofs.Extent]) -> str:
    """What the boot menu's check compares as well: no hash tree covers these."""
    if f"/{SUMS}" not in files:
        raise VerifyError("their list of sums is missing")
    rows = [row.split("  ", 1) for row in isofs.read(iso, files[f"/{SUMS}"]).decode().splitlines()]
    for digest, name in rows:
        if f"/{name}" not in files or hashlib.sha256(isofs.read(iso, files[f"/{name}"])).hexdigest() != digest:
            raise VerifyError(f"/{name} is not what the build has written")
    return f"{len(rows)} files"


def _manifest(report: Report, iso: Path, files: dict[str, isofs.Extent]) -> manifest.Manifest | None:
    found: list[manifest.Manifest] = []

    def check() -> str:
        if _INITRD not in files:
            raise VerifyError("there is no initramfs to read it from")
        found.append(manifest.find_in(isofs.read(iso, files[_INITRD])))
        return f"{len(found[0].layers)} layers, id {found[0].id}"

    report.attempt("manifest in the initramfs", check)
    return found[0] if found else None


def _marker(iso: Path, files: dict[str, isofs.Extent], found: manifest.Manifest) -> str:
    markers = [path for path in files if path.startswith("/inkstick/id/")]
    if markers != [f"/inkstick/id/{found.id}"]:
        raise VerifyError(f"markers on the medium: {', '.join(markers) or 'none'}")
    if isofs.read(iso, files[markers[0]]) != found.text.encode():
        raise VerifyError("the copy of the manifest beside the layers differs from the one that counts")
    return found.id


def _listing(files: dict[str, isofs.Extent], found: manifest.Manifest) -> str:
    there = {path.removeprefix(_LAYERS) for path in files if path.startswith(_LAYERS)}
    listed = {layer.file for layer in found.layers}
    if there - listed:
        raise VerifyError(f"not in the manifest: {', '.join(sorted(there - listed))}")
    if listed - there:
        raise VerifyError(f"missing: {', '.join(sorted(listed - there))}")
    return ", ".join(layer.name for layer in found.layers)


def _layer(iso: Path, files: dict[str, isofs.Extent], layer: manifest.Layer, on_bytes: Callable[[int], None]) -> str:
    extent = files.get(_LAYERS + layer.file)
    if extent is None:
        raise VerifyError("missing")
    if extent.size != layer.size:
        raise VerifyError(f"{extent.size} bytes, {layer.size} in the manifest")
    with iso.open("rb") as stream:
        verity.check(stream, extent.offset, Verity(layer.hash_offset, layer.root_hash), on_bytes)
    return f"every block matches root hash {layer.root_hash[:16]}{', encrypted' if layer.encrypted else ''}"
