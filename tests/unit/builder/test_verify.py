"""`verify` finds what is planted: each fault under the name of its check, and nothing else with it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from builder import isofs, layer_audit, partitions
from builder.errors import VerifyError
from builder.verify import Report, verify
from tests.unit.builder.small_stick import FILES, add_to_iso, write_stick, write_tree

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b3BlbnNzaC1rZXktdjEAAAAA" * 4 + "\n-----END"


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = tmp_path_factory.mktemp("stick")
    return write_stick(room, {"base": write_tree(room / "tree", FILES)})


def looked_at(iso: Path) -> Report:
    return verify(iso, lambda done, total: None)


def wrong(iso: Path) -> dict[str, str]:
    return {name: finding for name, held, finding in looked_at(iso).checks if not held}


def test_a_right_stick_is_right(stick: Path) -> None:
    report = looked_at(stick)
    assert report.ok, [row for row in report.checks if not row[1]]
    assert len(report.checks) >= 14


def altered(stick: Path, place: int, content: bytes) -> Path:
    copy = stick.with_name("altered.iso")
    shutil.copyfile(stick, copy)
    with copy.open("r+b") as stream:
        stream.seek(place if place >= 0 else stick.stat().st_size + place)
        stream.write(content)
    return copy


def catalogue(stick: Path) -> int:
    (block,) = struct.unpack("<I", stick.read_bytes()[17 * 2048 + 0x47 :][:4])
    return int(block) * 2048


@pytest.mark.parametrize(
    ("place", "content", "told"),
    [
        (510, b"\0\0", "no boot signature"),
        (446, bytes(64), "no partition is marked bootable"),
        (512, b"X", "no GPT in sector 1"),
        (512 + 40, b"\x77", "GPT has a wrong checksum"),
        (1024 + 40, b"\x77", "entries of the GPT"),
        (-512, b"X", "no copy of the GPT"),
        (-512 + 24, b"\x09", "copy of the GPT has a wrong checksum"),
    ],
)
def test_a_damaged_partition_table_is_named(stick: Path, place: int, content: bytes, told: str) -> None:
    found = wrong(altered(stick, place, content))
    assert list(found) == ["partition table"] and told in found["partition table"]


def test_a_damaged_boot_catalogue_is_named(stick: Path) -> None:
    found = wrong(altered(stick, catalogue(stick) + 4, b"x"))
    assert "catalogue is damaged" in found["boots on BIOS and UEFI"]


def test_a_boot_entry_that_leads_nowhere_is_named(stick: Path) -> None:
    with pytest.raises(VerifyError, match="beyond the end"):
        partitions.check_el_torito(altered(stick, catalogue(stick) + 32 + 8, struct.pack("<I", 1 << 28)))


def test_a_stick_that_boots_by_bios_alone_is_named(stick: Path) -> None:
    found = wrong(altered(stick, catalogue(stick) + 96, b"\0"))
    assert "BIOS; BIOS and UEFI expected" in found["boots on BIOS and UEFI"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("/" + "n" * 41, "at most 40"),
        ("/印.txt", "ASCII"),
        ("/what?.txt", "Windows and FAT32"),
        ("/aux.txt", "Windows and FAT32"),
        ("/README.", "Windows and FAT32"),
        ("/EFI/boot.CFG", ""),
    ],
)
def test_an_illegal_name_is_named(stick: Path, tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "file").write_text("text")
    found = wrong(add_to_iso(stick, "-map", str(tmp_path / "file"), name))
    assert (told in found["names and sizes"]) if told else "names and sizes" not in found


def test_names_that_differ_by_case_only_are_named(stick: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    altered_one = add_to_iso(stick, "-map", str(tmp_path / "file"), "/boot/grub/GRUB.cfg")
    assert "differ by case" in wrong(altered_one)["names and sizes"]


def test_a_link_on_the_medium_is_named(stick: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("EFI")
    assert "/link is a link" in wrong(add_to_iso(stick, "-map", str(tmp_path / "link"), "/link"))["names and sizes"]


def test_a_file_of_four_gibibytes_is_named(stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size as the ISO tells it: writing one would take the room it is about."""
    real = isofs.files(stick)
    vast = isofs.Extent("/vast.bin", 0, 1 << 32)
    monkeypatch.setattr(isofs, "files", lambda iso: {**real, "/vast.bin": vast})
    assert "/vast.bin reaches 4 GiB" in wrong(stick)["names and sizes"]


def test_a_missing_boot_file_is_named(stick: Path) -> None:
    found = wrong(add_to_iso(stick, "-rm", "/inkstick/boot/vmlinuz"))
    assert "/inkstick/boot/vmlinuz" in found["files that booting needs"]


@pytest.mark.parametrize("path", ["/inkstick/boot/vmlinuz", "/boot/grub/loopback.cfg", "/EFI/BOOT/grubx64.efi"])
def test_a_flipped_byte_in_a_file_that_no_hash_tree_covers_is_named(stick: Path, path: str) -> None:
    extent = isofs.files(stick)[path]
    (old,) = isofs.read(stick, extent)[:1]
    found = wrong(altered(stick, extent.offset, bytes([old ^ 0xFF])))
    assert list(found) == ["files beside the layers"] and path in found["files beside the layers"]


def test_another_manifest_beside_the_layers_is_named(stick: Path) -> None:
    (marker,) = (extent for path, extent in isofs.files(stick).items() if path.startswith("/inkstick/id/"))
    found = wrong(altered(stick, marker.offset + 3, b"X"))
    assert "differs from the one that counts" in found["marker of this build"]


def test_a_layer_that_the_manifest_does_not_list_is_named(stick: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    found = wrong(add_to_iso(stick, "-map", str(tmp_path / "file"), "/inkstick/layers/extra.squashfs"))
    assert "extra.squashfs" in found["layers as listed"]


def spoilt(tmp_path: Path, spoil: Callable[[Path], object]) -> Path:
    tree = write_tree(tmp_path / "tree", FILES)
    spoil(tree)
    return write_stick(tmp_path, {"base": tree})


def put(name: str, text: str) -> Callable[[Path], object]:
    return lambda tree: write_tree(tree, {name: text})


def node(tree: Path) -> None:
    (tree / "dev").mkdir()
    subprocess.run(["mknod", tree / "dev/null", "c", "1", "3"], check=True)


@pytest.mark.parametrize(
    ("spoil", "check", "told"),
    [
        (put("etc/inkstick/signing.conf", KEY), "traces of the builder", "holds a private key"),
        (put("usr/lib/x/id_ed25519", KEY), "private keys", "usr/lib/x/id_ed25519"),
        (lambda tree: (tree / "usr/bin/tool").chmod(0o4755), "rights of programs", "usr/bin/tool -rws"),
        (lambda tree: (tree / "usr/bin/tool").chmod(0o2755), "rights of programs", "usr/bin/tool -rwxr-s"),
        (node, "device nodes", "base:/dev/null"),
        (put("etc/machine-id", "0123456789abcdef0123456789abcdef\n"), "traces of the builder", "a machine's id"),
        (put("etc/hosts", "127.0.1.1 buildhost-7\n"), "traces of the builder", "etc/hosts"),
        (put("etc/ssh/ssh_host_rsa_key.pub", "ssh-rsa x\n"), "traces of the builder", "ssh_host_rsa_key.pub"),
        (put("etc/apt/apt.conf", 'Acquire::http::Proxy "x";\n'), "traces of the builder", "etc/apt/apt.conf"),
        (put("etc/environ", "http_proxy=http://cache.corp.example:3128\n"), "traces of the builder", "environ"),
        (put("root/.netrc", "password x\n"), "traces of the builder", "root/.netrc"),
        (put("usr/lib/x/a-1.dist-info/direct_url.json", "{}"), "traces of the builder", "direct_url.json"),
        (lambda tree: shutil.rmtree(tree / "usr/share/doc"), "licences", "tool"),
    ],
)
def test_what_must_not_lie_in_a_layer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], object], check: str, told: str
) -> None:
    monkeypatch.setattr("platform.node", lambda: "buildhost-7.example")
    monkeypatch.setenv("http_proxy", "http://user:word@cache.corp.example:3128/")
    found = wrong(spoilt(tmp_path, spoil))
    assert list(found) == [check] and told in found[check]


def test_a_program_with_capabilities_is_named(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", FILES)
    os.setxattr(tree / "usr/bin/tool", "user.mark", b"1")
    image = tmp_path / "image"
    subprocess.run(["mksquashfs", tree, image, "-noappend", "-quiet"], check=True, capture_output=True)
    layer = layer_audit.LayerFile(image, isofs.Extent("/x", 0, image.stat().st_size))
    with pytest.raises(VerifyError, match="base"):
        layer_audit.capabilities({"base": layer})


def test_a_file_that_is_cut_short_is_refused(stick: Path) -> None:
    copy = stick.with_name("short.iso")
    copy.write_bytes(stick.read_bytes()[: stick.stat().st_size // 2])
    with pytest.raises(VerifyError) as caught:
        looked_at(copy)
    assert "cut short" in caught.value.hint
