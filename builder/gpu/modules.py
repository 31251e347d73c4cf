"""What must hold for the kernel modules of NVIDIA's driver before they may ship."""

from __future__ import annotations

import re
from dataclasses import dataclass

EXPECTED = ("nvidia", "nvidia-modeset", "nvidia-drm", "nvidia-uvm", "nvidia-peermem")
_DEBIAN_PREFIX = re.compile(r"^nvidia-current(-open)?")


@dataclass(frozen=True)
class ModuleInfo:
    """What modinfo says of a module file. `sig_key` is the signing certificate's serial number."""

    file: str
    version: str
    vermagic: str
    signer: str
    sig_key: str

    @property
    def name(self) -> str:
        """NVIDIA's own name: Debian's nvidia-current-uvm.ko.xz is nvidia-uvm."""
        return _DEBIAN_PREFIX.sub("nvidia", self.file.partition(".ko")[0])


@dataclass(frozen=True)
class Signer:
    """The certificate that ships: its common name, and its serial number in hexadecimal."""

    name: str
    serial: str


def check_modules(modules: list[ModuleInfo], *, kernel: str, version: str, signer: Signer) -> list[str]:
    """What is wrong with `modules`, a line each: five of them, for this kernel, version and signer."""
    problems = []
    absent = set(EXPECTED) - {module.name for module in modules}
    if absent:
        problems.append(f"missing: {', '.join(sorted(absent))}")
    for module in modules:
        if module.vermagic.split(" ")[0] != kernel:
            problems.append(f"{module.file}: built for kernel {module.vermagic.split(' ')[0]}, the image has {kernel}")
        if module.version != version:
            problems.append(f"{module.file}: version {module.version or 'unknown'}, the libraries have {version}")
        if not module.signer:
            problems.append(f"{module.file}: not signed")
        elif module.signer != signer.name or _digits(module.sig_key) != _digits(signer.serial):
            problems.append(f"{module.file}: signed by {module.signer}, the certificate that ships is {signer.name}")
    return problems


def _digits(serial: str) -> str:
    return serial.replace(":", "").lstrip("0").upper()
