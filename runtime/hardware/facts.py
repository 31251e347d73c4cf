"""Facts about this machine, each from where the kernel or the driver says it. The standard library alone:
this runs while the station starts, on whatever processor there is.

Sources: Documentation/ABI/testing/sysfs-bus-pci; the driver's README, "The /proc Interface"; the kernel's
errors for modules in kernel/module/signing.c (EKEYREJECTED, ENOKEY) and security/lockdown.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

NVIDIA = "10de"
_DISPLAY = "03"
"""PCI base class of VGA (0300) and 3D (0302) controllers."""
_SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_KERNEL_LOG = re.compile(r"NVRM|nvidia|Lockdown", re.IGNORECASE)
_QUERY = ("nvidia-smi", "--query-gpu=name,memory.total,compute_cap,uuid", "--format=csv,noheader,nounits")
_QUERY_S = 60
_MODULES = ("nvidia", "nvidia-uvm", "nvidia-modeset", "nvidia-drm")
MEBIBYTE = 1024 * 1024

Run = Callable[[tuple[str, ...]], tuple[int, str]]
"""A program's exit status, and what it said on either output."""


@dataclass(frozen=True)
class Card:
    """An NVIDIA display controller on the PCI bus. `device`: four hexadecimal digits, small letters."""

    address: str
    device: str


@dataclass(frozen=True)
class Gpu:
    """A card that the driver runs. `capability`: what it computes, 89 for sm_89."""

    name: str
    vram_bytes: int
    capability: int = 0
    uuid: str = ""


@dataclass(frozen=True)
class Facts:
    """`supported`: devices that the driver on this station knows; empty where no list came with it.
    `module_version` and `library_version`: None where there is none. `refusal`: why the kernel did not take
    the module, in modprobe's words. `secure_boot`: None without UEFI. `query_error`: what nvidia-smi said
    when it could not list the cards. `model_locked`: nobody gave the passphrase of an encrypted model."""

    cards: tuple[Card, ...] = ()
    supported: frozenset[str] = frozenset()
    module_version: str | None = None
    library_version: str | None = None
    refusal: str = ""
    kernel_log: tuple[str, ...] = ()
    secure_boot: bool | None = None
    gpus: tuple[Gpu, ...] = ()
    query_error: str = ""
    ram_bytes: int = 0
    has_model: bool = False
    model_locked: bool = False


def gather(root: Path, model: Path, run: Run | None = None) -> Facts:
    """Load the driver if there is a card for it, make the nodes, and look. Never raises for what is missing.

    `root` is "/" but for tests; `model` is the weights' folder, absolute.
    """
    run = run or run_program
    cards = tuple(nvidia_cards(root))
    refusal = _load_driver(run) if cards else ""
    module = _text(root / "sys/module/nvidia/version")
    gpus, query_error = _ask_driver(run) if module else ((), "")
    return Facts(
        cards=cards,
        supported=_supported(root),
        module_version=module or None,
        library_version=_library_version(root),
        refusal="" if module else refusal,
        kernel_log=_kernel_log(run) if cards else (),
        secure_boot=_secure_boot(root),
        gpus=gpus,
        query_error=query_error,
        ram_bytes=_ram_bytes(root),
        has_model=any((root / model.relative_to("/")).glob("*.safetensors")),
        model_locked=(root / "run/inkstick/model-locked").exists(),
    )


def nvidia_cards(root: Path) -> Iterable[Card]:
    """NVIDIA's display controllers, in the order of their addresses."""
    for device in sorted((root / "sys/bus/pci/devices").glob("*")):
        vendor, kind = _text(device / "vendor"), _text(device / "class")
        if vendor == f"0x{NVIDIA}" and kind.removeprefix("0x").startswith(_DISPLAY):
            yield Card(device.name, _text(device / "device").removeprefix("0x").lower())


def run_program(argv: tuple[str, ...]) -> tuple[int, str]:
    """Run `argv`; a program that is not there or hangs counts as one that failed."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_QUERY_S, check=False)
    except FileNotFoundError:
        return 127, f"{argv[0]} is not on this station"
    except subprocess.TimeoutExpired:
        return 124, f"{argv[0]} did not answer within {_QUERY_S} s"
    return done.returncode, (done.stdout + done.stderr).strip()


def _load_driver(run: Run) -> str:
    """What modprobe said of the first module that was refused; "" if all went in."""
    for module in _MODULES:
        code, said = run(("modprobe", module))
        if code != 0:
            return said
    run(("nvidia-modprobe", "-c0", "-u"))
    return ""


def _ask_driver(run: Run) -> tuple[tuple[Gpu, ...], str]:
    code, said = run(_QUERY)
    if code != 0:
        return (), said
    gpus = []
    for line in said.splitlines():
        words = [word.strip() for word in line.rsplit(",", 3)]
        if len(words) != 4 or not words[1].isdigit():
            return (), said
        name, mebibytes, capability, uuid = words
        digits = capability.replace(".", "")
        gpus.append(Gpu(name, int(mebibytes) * MEBIBYTE, int(digits) if digits.isdigit() else 0, uuid))
    return tuple(gpus), ""


def _supported(root: Path) -> frozenset[str]:
    lines = _text(root / "usr/share/inkstick/driver/supported.ids").split()
    return frozenset(line.lower() for line in lines)


def _library_version(root: Path) -> str | None:
    for library in sorted((root / "usr/lib/x86_64-linux-gnu").glob("**/libcuda.so.*.*")):
        return library.name.removeprefix("libcuda.so.")
    return None


def _kernel_log(run: Run) -> tuple[str, ...]:
    _, said = run(("dmesg", "--notime"))
    return tuple(line.strip() for line in said.splitlines() if _KERNEL_LOG.search(line))[-40:]


def _secure_boot(root: Path) -> bool | None:
    """The variable's last byte, after four of attributes."""
    try:
        return (root / _SECURE_BOOT).read_bytes()[-1:] == b"\x01"
    except OSError:
        return None


def _ram_bytes(root: Path) -> int:
    found = re.search(r"^MemTotal: +(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
