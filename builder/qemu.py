"""Boot an ISO in QEMU, as an operator would try it before writing a stick."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from builder.console import say
from builder.errors import HostError

_OVMF_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
_OVMF_VARS = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")


def boot(iso: Path, *, headless: bool, uefi: bool, stick: Path | None, memory_mib: int) -> None:
    """Run QEMU until its machine is switched off or Ctrl-C. Raises HostError if it fails to start.

    The ISO is a USB stick to the machine, and never written to; `stick` is written to.
    """
    kvm = accelerated()
    with tempfile.TemporaryDirectory(prefix="inkstick-") as room:
        argv = arguments(iso, Path(room), kvm=kvm, uefi=uefi, stick=stick, memory_mib=memory_mib)
        if headless:
            argv += ["-display", "none", "-serial", "stdio", "-monitor", "none"]
            say("Serial console follows; Ctrl-C stops the machine.")
        else:
            argv += ["-serial", "none"]
        if not kvm:
            say("This machine cannot use KVM: QEMU interprets, and starting takes minutes.")
        code = subprocess.run(argv, check=False).returncode
    if code != 0:
        raise HostError(f"QEMU ended with status {code}", hint="without a screen, use --headless")


def accelerated() -> bool:
    """Whether this machine lets QEMU use its processor directly: asked by starting an empty machine.

    /dev/kvm alone says little: inside some virtual machines it is there, and QEMU dies of it.
    """
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    machine = ["-M", "q35", "-accel", "kvm", "-cpu", "host", "-nodefaults", "-display", "none", "-S"]
    quit_at_once = b'{"execute": "qmp_capabilities"}\n{"execute": "quit"}\n'
    done = subprocess.run(
        ["qemu-system-x86_64", *machine, "-qmp", "stdio"], input=quit_at_once, capture_output=True, check=False
    )
    return done.returncode == 0


def arguments(iso: Path, room: Path, *, kvm: bool, uefi: bool, stick: Path | None, memory_mib: int) -> list[str]:
    """QEMU's arguments for a machine like a plain PC: two cores, a VGA screen, USB, no network card."""
    argv = ["qemu-system-x86_64", "-M", "q35", "-m", str(memory_mib), "-vga", "std", "-nic", "none"]
    # Interpreted, one processor: with two, QEMU sometimes runs into a breakpoint that the guest's kernel has
    # set for a moment in code that it is changing.
    argv += ["-accel", "kvm", "-cpu", "host", "-smp", "2"] if kvm else ["-accel", "tcg", "-cpu", "Haswell-noTSX"]
    if uefi:
        variables = room / "vars.fd"
        shutil.copyfile(_OVMF_VARS, variables)
        argv += ["-drive", f"if=pflash,format=raw,readonly=on,file={_OVMF_CODE}"]
        argv += ["-drive", f"if=pflash,format=raw,file={variables}"]
    argv += ["-device", "qemu-xhci", "-device", "usb-kbd", "-device", "usb-tablet"]
    argv += ["-drive", f"if=none,id=medium,format=raw,readonly=on,file={iso}"]
    argv += ["-device", "usb-storage,drive=medium,removable=on,bootindex=0"]
    if stick is not None:
        argv += ["-drive", f"if=none,id=stick,format=raw,file={stick}"]
        argv += ["-device", "usb-storage,drive=stick,removable=on"]
    return argv
