"""The ISO and its layers, looked at from outside: with other tools than those that made them."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from builder import isofs
from builder.manifest import Layer, Manifest, find_in
from builder.verify import verify


@dataclass(frozen=True)
class Listed:
    """One line of `unsquashfs -lls`."""

    mode: str
    owner: str
    path: str


@pytest.fixture(scope="module")
def manifest(iso: Path) -> Manifest:
    return find_in(isofs.read(iso, isofs.files(iso)["/inkstick/boot/initrd.img"]))


@pytest.fixture(scope="module")
def layers(iso: Path, manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("layers")
    found = {}
    for layer in manifest.layers:
        found[layer.name] = folder / layer.file
        subprocess.run(
            [
                "xorriso",
                "-osirrox",
                "on",
                "-indev",
                iso,
                "-extract",
                f"/inkstick/layers/{layer.file}",
                found[layer.name],
            ],
            check=True,
            capture_output=True,
        )
    return found


@pytest.fixture(scope="module")
def listing(layers: dict[str, Path]) -> dict[str, list[Listed]]:
    return {name: _list(image) for name, image in layers.items()}


def _list(image: Path) -> list[Listed]:
    text = subprocess.run(["unsquashfs", "-lls", "-d", "", image], check=True, capture_output=True, text=True).stdout
    rows = re.findall(r"^([-bcdlps][-rwxsStT]{9}) (\S+)\s+\S+(?:,\s*\d+)? \S+ \S+ (/\S.*)$", text, re.MULTILINE)
    return [Listed(mode, owner, path.split(" -> ")[0]) for mode, owner, path in rows]


def _read(image: Path, path: str) -> str:
    return subprocess.run(["unsquashfs", "-cat", image, path], check=True, capture_output=True, text=True).stdout


def _verity(image: Path, layer: Layer) -> subprocess.CompletedProcess[str]:
    offset = f"--hash-offset={layer.hash_offset}"
    return subprocess.run(
        ["veritysetup", "verify", offset, image, image, layer.root_hash], capture_output=True, text=True, check=False
    )


def test_veritysetup_agrees_on_every_layer(layers: dict[str, Path], manifest: Manifest) -> None:
    for layer in manifest.layers:
        done = _verity(layers[layer.name], layer)
        assert done.returncode == 0, done.stderr


def test_a_flipped_byte_anywhere_in_a_layer_is_found(iso: Path, manifest: Manifest, tmp_path: Path) -> None:
    copy = tmp_path / "altered.iso"
    shutil.copyfile(iso, copy)
    layer = next(layer for layer in manifest.layers if layer.name == "station")
    extent = isofs.files(copy)[f"/inkstick/layers/{layer.file}"]
    dice = random.Random(20260101)
    last = layer.size - 4096
    places = [0, layer.hash_offset - 1, layer.hash_offset + 4096, last, *(dice.randrange(last) for _ in range(6))]
    for place in places:
        if layer.hash_offset <= place < layer.hash_offset + 4096:
            continue  # the tree's superblock has unused bytes: its check is the next test
        _flip(copy, extent.offset + place)
        report = verify(copy, lambda done, total: None)
        failed = [name for name, held, _ in report.checks if not held]
        assert failed == ["layer station"], f"byte {place}"
        _flip(copy, extent.offset + place)
    assert verify(copy, lambda done, total: None).ok


def _flip(file: Path, place: int) -> None:
    with file.open("r+b") as stream:
        stream.seek(place)
        byte = stream.read(1)
        stream.seek(place)
        stream.write(bytes([byte[0] ^ 0x40]))


def test_the_manifest_beside_the_iso_names_every_input(iso: Path, manifest: Manifest) -> None:
    beside = json.loads(iso.with_name(f"{iso.stem}.manifest.json").read_text())
    assert beside["id"] == manifest.id and beside["size"] == iso.stat().st_size
    assert {row["name"] for row in beside["packages"]} >= {"systemd", "chromium", "shim-signed"}
    assert {row["project"] for row in beside["wheels"]} >= {"rapidocr", "onnxruntime", "fastapi"}
    assert all(len(row["sha256"]) == 64 for row in [*beside["packages"], *beside["wheels"]])
    assert [row["file"] for row in beside["layers"]] == [layer.file for layer in manifest.layers]


def test_sha256sum_accepts_the_checksum_file(iso: Path) -> None:
    done = subprocess.run(["sha256sum", "-c", f"{iso.name}.sha256"], cwd=iso.parent, capture_output=True, check=False)
    assert done.returncode == 0


def test_windows_sees_whole_names(iso: Path) -> None:
    """Joliet is what Rufus and UltraISO copy from; 64 characters is where it cuts."""
    for path in isofs.files(iso):
        assert len(path.rsplit("/", 1)[-1]) <= 40


def test_the_efi_program_is_a_regular_file_in_the_tree(iso: Path) -> None:
    content = isofs.read(iso, isofs.files(iso)["/EFI/BOOT/BOOTX64.EFI"])
    assert content[:2] == b"MZ" and len(content) > 500_000


def test_no_program_is_setuid(listing: dict[str, list[Listed]]) -> None:
    setuid = [row.path for rows in listing.values() for row in rows if row.mode[0] == "-" and "s" in row.mode.lower()]
    assert setuid == []


def test_no_network_driver_is_on_the_station(listing: dict[str, list[Listed]]) -> None:
    modules = [row.path for row in listing["base"] if ".ko" in row.path]
    assert modules
    assert [path for path in modules if "/drivers/net/" in path or "/bluetooth/" in path or "/wireless/" in path] == []


def test_the_kernels_index_names_every_module_and_no_other(
    layers: dict[str, Path], listing: dict[str, list[Listed]]
) -> None:
    modules = {row.path for row in listing["base"] if re.search(r"^/usr/lib/modules/[^/]+/kernel/.*\.ko", row.path)}
    (root,) = {"/".join(path.split("/")[:5]) for path in modules}
    named = {line.partition(":")[0] for line in _read(layers["base"], f"{root}/modules.dep".lstrip("/")).splitlines()}
    assert modules and {f"{root}/{name}" for name in named} == modules
    present = {row.path.removeprefix(f"{root}/") for row in listing["base"] if row.path.startswith(f"{root}/modules.")}
    assert {"modules.alias.bin", "modules.dep.bin", "modules.symbols.bin", "modules.builtin.bin"} <= present


def test_no_account_has_a_password(layers: dict[str, Path]) -> None:
    fields = [line.split(":")[1] for line in _read(layers["base"], "etc/shadow").splitlines()]
    assert fields and set(fields) <= {"*", "!", "!*"}


def test_no_private_key_and_no_trace_of_this_machine(
    layers: dict[str, Path], listing: dict[str, list[Listed]]
) -> None:
    paths = [row.path for rows in listing.values() for row in rows]
    assert [path for path in paths if re.search(r"ssh_host_|\.pem$.*private|mok\.key|id_(rsa|ed25519)$", path)] == []
    assert _read(layers["base"], "etc/machine-id").strip() == ""
    assert not any(path in ("/etc/resolv.conf", "/etc/apt") for path in paths)


def test_copyright_files_stay(listing: dict[str, list[Listed]]) -> None:
    assert sum(row.path.endswith("/copyright") for row in listing["base"]) > 200


def test_byte_code_is_there_for_every_module_of_the_station(listing: dict[str, list[Listed]]) -> None:
    paths = {row.path for row in listing["station"]}
    modules = [path for path in paths if path.startswith("/usr/lib/inkstick/runtime/") and path.endswith(".py")]
    assert modules
    for path in modules:
        folder, name = path.rsplit("/", 1)
        assert f"{folder}/__pycache__/{name.removesuffix('.py')}.cpython-313.pyc" in paths
