"""Which graphics cards a driver knows, by their PCI device numbers: the station compares them with its own.

Debian's list is nvidia-detect's `nvidia.ids`, a vendor and device a line (10DE2685). NVIDIA's installer has
`supported-gpus/supported-gpus.json`, in which a chip of an older driver has a `legacybranch`.
"""

from __future__ import annotations

import json
from pathlib import Path

SUPPORTED = "usr/share/inkstick/driver/supported.ids"
_DEBIANS = "usr/share/nvidia/nvidia.ids"
_INSTALLERS = "tmp/driver/supported-gpus/supported-gpus.json"
_VENDOR = "10de"


def write_supported(root: Path) -> None:
    """Write SUPPORTED below `root` from the list that came with the driver.

    Raises SystemExit where there is none, or nothing in it.
    """
    debians, installers = root / _DEBIANS, root / _INSTALLERS
    if installers.is_file():
        devices = from_installer(installers.read_text())
    elif debians.is_file():
        devices = from_debian(debians.read_text())
    else:
        raise SystemExit("no list of supported cards came with the driver: is nvidia-detect among its packages?")
    if not devices:
        raise SystemExit("the driver's list of supported cards is empty")
    target = root / SUPPORTED
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(f"{device}\n" for device in devices))
    target.chmod(0o644)


def from_debian(text: str) -> list[str]:
    """Device numbers, four small hexadecimal digits each, sorted."""
    lines = [line.strip().lower() for line in text.splitlines()]
    return sorted({line[len(_VENDOR) :] for line in lines if line.startswith(_VENDOR) and len(line) == 8})


def from_installer(text: str) -> list[str]:
    """The same from NVIDIA's JSON. Chips of older drivers are left out."""
    chips = json.loads(text)["chips"]
    return sorted({f"{int(chip['devid'], 16):04x}" for chip in chips if "legacybranch" not in chip})
