"""The certificate of the driver's modules on the medium, for MOK manager and for whoever looks for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builder import isofs
from builder.cache import Cache
from builder.iso import CERTIFICATE
from builder.plan import Plan

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def certificate(plan: Plan, cache: Cache) -> bytes:
    return (plan.step("modules").folder(cache) / "certificate.der").read_bytes()


@pytest.fixture(scope="module")
def esp(iso: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The EFI system partition: the second one of the GPT."""
    with iso.open("rb") as stream:
        stream.seek(2 * 512 + 128)
        entry = stream.read(128)
        first, last = (int.from_bytes(entry[place : place + 8], "little") for place in (32, 40))
        stream.seek(first * 512)
        content = stream.read((last - first + 1) * 512)
    file = tmp_path_factory.mktemp("esp") / "esp.img"
    file.write_bytes(content)
    return file


def test_it_lies_in_the_tree_and_on_the_efi_system_partition(iso: Path, esp: Path, certificate: bytes) -> None:
    assert isofs.read(iso, isofs.files(iso)[f"/{CERTIFICATE}"]) == certificate
    argv = ["mcopy", "-i", str(esp), f"::/{CERTIFICATE}", "-"]
    assert subprocess.run(argv, check=True, capture_output=True).stdout == certificate


def test_the_menu_leads_to_a_mok_manager_that_is_there(iso: Path) -> None:
    files = isofs.files(iso)
    menu = isofs.read(iso, files["/boot/grub/grub.cfg"]).decode()
    assert "chainloader /EFI/BOOT/mmx64.efi" in menu and "Enrol the driver's key" in menu
    assert isofs.read(iso, files["/EFI/BOOT/mmx64.efi"])[:2] == b"MZ"
