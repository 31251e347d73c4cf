"""The station is locked down by its files: read from the layers, not from the overlay."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from builder import isofs
from builder.manifest import find_in

UNITS = "etc/systemd/system"
_NEWER = r"'Restart(Steps|MaxDelaySec)'|ignoring: disconnected"
"""The station's systemd, 257, knows them; this machine's may be older."""
SERVICES = ("inkstick-gateway", "inkstick-engine@", "inkstick-kiosk", "inkstick-input")


@pytest.fixture(scope="module")
def station(iso: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The station layer, unpacked."""
    folder = tmp_path_factory.mktemp("station")
    manifest = find_in(isofs.read(iso, isofs.files(iso)["/inkstick/boot/initrd.img"]))
    (layer,) = (layer for layer in manifest.layers if layer.name == "station")
    image = folder / "station.squashfs"
    image.write_bytes(isofs.read(iso, isofs.files(iso)[f"/inkstick/layers/{layer.file}"]))
    subprocess.run(["unsquashfs", "-q", "-n", "-d", folder / "tree", image], check=True, capture_output=True)
    return folder / "tree"


def settings(station: Path, unit: str) -> dict[str, str]:
    text = "".join(
        file.read_text()
        for file in (station / UNITS / f"{unit}.service", station / UNITS / "inkstick-.service.d/10-confined.conf")
    )
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


@pytest.mark.parametrize(
    "unit",
    [
        *("getty@.service", "serial-getty@.service", "autovt@.service", "console-getty.service"),
        *("debug-shell.service", "emergency.service", "rescue.service", "ctrl-alt-del.target"),
    ],
)
def test_no_way_to_a_shell_is_left(station: Path, unit: str) -> None:
    link = station / UNITS / unit
    assert link.is_symlink() and str(link.readlink()) == "/dev/null"


@pytest.mark.parametrize("service", [*SERVICES, "inkstick-input-bus"])
def test_services_see_no_network_but_loopback(station: Path, service: str) -> None:
    assert settings(station, service)["PrivateNetwork"] == "yes"


@pytest.mark.parametrize("service", [*SERVICES, "inkstick-input-bus"])
def test_services_are_not_root_and_gain_no_rights(station: Path, service: str) -> None:
    found = settings(station, service)
    assert found["User"] not in ("root", "0")
    if service != "inkstick-kiosk":  # Chromium's own sandbox makes user namespaces
        assert found["NoNewPrivileges"] == "yes"


@pytest.mark.parametrize("service", [*SERVICES, "inkstick-media", "inkstick-display"])
def test_services_come_back_when_they_die(station: Path, service: str) -> None:
    assert settings(station, service)["Restart"] == "always"


def test_magic_keys_are_off(station: Path) -> None:
    text = "".join(file.read_text() for file in (station / "etc/sysctl.d").glob("*.conf"))
    assert re.search(r"^kernel\.sysrq\s*=\s*0$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        *(
            ("etc/sysctl.d/50-inkstick.conf", f"kernel.{name}")
            for name in ("core_pattern = |/bin/false", "panic = 20")
        ),
        *(
            ("etc/sysctl.d/50-inkstick.conf", f"kernel.{name} = 1")
            for name in ("dmesg_restrict", "kexec_load_disabled")
        ),
        ("etc/sysctl.d/50-inkstick.conf", "kernel.yama.ptrace_scope = 2"),
        ("etc/sysctl.d/50-inkstick.conf", "fs.suid_dumpable = 0"),
        *(("etc/systemd/system.conf.d/inkstick.conf", line) for line in ("DumpCore=no", "CrashShell=no")),
        ("etc/systemd/system.conf.d/inkstick.conf", "CtrlAltDelBurstAction=none"),
        ("etc/usbguard/inkstick.conf", "ImplicitPolicyTarget=block"),
        ("etc/usbguard/inkstick.conf", "AuthorizedDefault=none"),
        *(
            ("etc/X11/xorg.conf.d/10-station.conf", f'    Option "{name}" "true"')
            for name in ("DontVTSwitch", "DontZap")
        ),
        *(("etc/modprobe.d/inkstick.conf", f"blacklist {name}") for name in ("thunderbolt", "firewire-ohci")),
    ],
)
def test_the_kernel_and_the_screen_are_told_to_keep_shut(station: Path, file: str, line: str) -> None:
    assert line in (station / file).read_text().splitlines()


def test_no_usb_device_with_keys_or_a_network_is_admitted(station: Path) -> None:
    """One rule, by the classes of every interface (HID is 03, networks 02, 0a and e0); the rest is blocked."""
    rules = "".join(file.read_text() for file in (station / "etc/usbguard/rules.d").iterdir())
    (rule,) = (line for line in rules.splitlines() if line and not line.startswith("#"))
    classes = re.fullmatch(r"allow with-interface match-all \{ (.*) \}", rule)
    assert classes and {kind.split(":")[0] for kind in classes[1].split()} == {
        "01",
        "06",
        "07",
        "08",
        "09",
        "0e",
        "ff",
    }


def test_the_packet_filter_drops_by_default(station: Path) -> None:
    rules = (station / "etc/nftables.conf").read_text()
    for hook in ("input", "output", "forward"):
        assert re.search(rf"hook {hook} priority [^;]+; policy drop;", rules), hook


def test_the_browser_may_go_to_the_stations_page_and_nowhere_else(station: Path) -> None:
    (file,) = (station / "etc/chromium/policies/managed").glob("*.json")
    policy = json.loads(file.read_text())
    assert {"*", "chrome://*"} <= set(policy["URLBlocklist"])
    assert all(re.match(r"(http://)?(127\.0\.0\.1|localhost):7860", entry) for entry in policy["URLAllowlist"])
    assert policy["AllowFileSelectionDialogs"] is False
    assert policy["DeveloperToolsAvailability"] == 2


def test_systemd_understands_every_unit(station: Path) -> None:
    """systemd-analyze reads them as the station will; programs of other layers are not there to be found."""
    units = sorted(str(path) for path in (station / UNITS).glob("inkstick-*.service") if not path.is_symlink())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    wrong = [
        line
        for line in done.stderr.splitlines()
        if re.search(r"Unknown (key|section|lvalue)|Failed to parse", line) and not re.search(_NEWER, line)
    ]
    assert wrong == []
