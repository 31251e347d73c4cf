"""GRUB's menus: what every stick has, what only one with a driver has, and that both menus start the same."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from builder.boot.menu import arguments, entries
from builder.iso import CERTIFICATE, Medium, render
from builder.manifest import Manifest

ENTRY = re.compile(r'^ *menuentry "(.*)"', re.MULTILINE)


def medium(certificate: Path | None) -> Medium:
    return Medium(Manifest("demo", "1.2.3", ()), {}, Path(), "INKDEMO", "boot=inkstick", 0, certificate=certificate)


TITLES = [
    "墨条文字识别站 / Start Inkstick 1.2.3",
    "装入内存后启动，可拔出启动盘 / Start from memory, the stick may then be pulled out",
    "检查启动盘是否完好 / Check the stick",
    "安全显示模式（屏幕不亮时用） / Safe graphics, where the screen stays dark",
    "关机 / Power off",
]
MENUS = ("menu.cfg.j2", "loopback.cfg.j2")


@pytest.mark.parametrize("template", MENUS)
def test_a_stick_without_a_driver_offers_four_ways_to_start_and_to_power_off(template: str) -> None:
    menu = render(template, medium(None))
    assert ENTRY.findall(menu) == TITLES
    assert "mmx64" not in menu and "\n\n" not in menu
    assert "set timeout=3\nset default=0\n" in menu


def test_both_menus_give_the_kernel_the_same_arguments_and_only_the_loopback_one_the_isos_path() -> None:
    own, loopback = (
        re.findall(r"^    linux /inkstick/boot/vmlinuz (.*)$", render(template, medium(None)), re.MULTILINE)
        for template in MENUS
    )
    assert own == [arguments("boot=inkstick", entry) for entry in entries("1.2.3")]
    assert own == [
        "boot=inkstick",
        "boot=inkstick toram",
        "boot=inkstick inkstick.check",
        "boot=inkstick nomodeset nvidia-drm.modeset=0",
    ]
    assert loopback == [f'{line} "findiso=${{iso_path}}"' for line in own]


def test_the_loopback_menu_does_not_look_for_another_disk() -> None:
    assert "search" in render("menu.cfg.j2", medium(None)) and "search" not in render("loopback.cfg.j2", medium(None))


@pytest.mark.parametrize("template", [*MENUS, "esp.cfg.j2"])
def test_grub_understands_every_file(template: str, tmp_path: Path) -> None:
    file = tmp_path / "grub.cfg"
    file.write_text(render(template, medium(Path("certificate.der"))))
    checked = subprocess.run(["grub-script-check", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_a_stick_with_a_driver_offers_to_enrol_its_key_where_the_firmware_is_uefi() -> None:
    plain, menu = render("menu.cfg.j2", medium(None)), render("menu.cfg.j2", medium(Path("certificate.der")))
    assert ENTRY.findall(menu)[-2] == "登记驱动密钥 / Enrol the driver's key"
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
    for template in (*MENUS, "esp.cfg.j2"):
        text = render(template, locked)
        assert f'set superusers="inkstick"\nexport superusers\npassword_pbkdf2 inkstick {secret}\n' in text
        assert text.count("menuentry") == text.count("--unrestricted")


def test_under_uefi_the_driver_that_flips_pages_is_gone_before_graphics_start() -> None:
    """Our own GRUB has it built in; another GRUB, which reads loopback.cfg, may not, and would say so."""
    menu = render("menu.cfg.j2", medium(None))
    assert 0 < menu.index("rmmod all_video") < menu.index("rmmod video_bochs") < menu.index("insmod gfxterm")
    assert "rmmod" not in render("loopback.cfg.j2", medium(None))
