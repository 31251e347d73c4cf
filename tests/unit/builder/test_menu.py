"""GRUB's menu: what every stick has, and what only one with a driver has."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from builder.iso import CERTIFICATE, Medium, render
from builder.manifest import Manifest

ENTRY = re.compile(r'^ *menuentry "(.*)"', re.MULTILINE)


def medium(certificate: Path | None) -> Medium:
    return Medium(Manifest("demo", "1.2.3", ()), {}, Path(), "INKDEMO", "boot=inkstick", 0, certificate=certificate)


def test_a_stick_without_a_driver_offers_to_start_and_to_power_off() -> None:
    menu = render("menu.cfg.j2", medium(None))
    assert ENTRY.findall(menu) == ["墨条文字识别站 / Start Inkstick 1.2.3", "关机 / Power off"]
    assert "mmx64" not in menu and "\n\n" not in menu


def test_a_stick_with_a_driver_offers_to_enrol_its_key_where_the_firmware_is_uefi() -> None:
    plain, menu = render("menu.cfg.j2", medium(None)), render("menu.cfg.j2", medium(Path("certificate.der")))
    assert ENTRY.findall(menu)[1] == "登记驱动密钥 / Enrol the driver's key"
    added = re.compile(r'^if \[ "\$grub_platform" = "efi" \]; then\n.*?^fi\n', re.MULTILINE | re.DOTALL)
    (block,) = added.findall(menu.partition("menuentry")[2])
    assert "chainloader /EFI/BOOT/mmx64.efi" in block and CERTIFICATE in block
    # Nothing else changes, so that the first entry stays what starts by itself.
    assert menu.replace(block, "") == plain


def test_mok_manager_takes_the_certificate_by_its_ending_and_finds_it_on_the_esp() -> None:
    """Its own check is for .cer, .der and .crt; the folder EFI is what the ESP is filled from."""
    assert CERTIFICATE.startswith("EFI/") and CERTIFICATE.endswith(".cer") and len(Path(CERTIFICATE).name) <= 12


def test_a_menu_without_a_password_is_locked_for_everybody_and_the_same_each_time() -> None:
    one, again = render("menu.cfg.j2", medium(None)), render("menu.cfg.j2", medium(None))
    assert one == again
    (line,) = re.findall(r"^password_pbkdf2 inkstick grub\.pbkdf2\.sha512\.10000\.(\S+)$", one, re.MULTILINE)
    salt, digest = (bytes.fromhex(part) for part in line.split("."))
    assert len(salt) == len(digest) == 64 and salt != digest
    other = Medium(Manifest("demo", "1.2.4", ()), {}, Path(), "INKDEMO", "boot=inkstick", 0)
    assert line not in render("menu.cfg.j2", other)


def test_the_operators_password_locks_menu_and_efi_menu_and_every_entry_starts_without_it() -> None:
    secret = f"grub.pbkdf2.sha512.10000.{'A1' * 64}.{'B2' * 64}"
    locked = dataclasses.replace(medium(Path("certificate.der")), password_pbkdf2=secret)
    for template in ("menu.cfg.j2", "esp.cfg.j2"):
        text = render(template, locked)
        assert f'set superusers="inkstick"\nexport superusers\npassword_pbkdf2 inkstick {secret}\n' in text
        assert text.count("menuentry") == text.count("--unrestricted")
