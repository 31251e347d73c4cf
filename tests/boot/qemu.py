"""A machine in QEMU, used as a person would: keys, eyes and the power button; and its serial console."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = float(os.environ.get("INKSTICK_TEST_PATIENCE", "1"))
"""Every limit is multiplied by this. The limits are generous: waiting ends when the machine is there."""

MILESTONES = ("medium-found", "layers-open", "root-switched", "gateway-ready", "kiosk-painted", "engine-ready")
_OVMF_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
_OVMF_VARS = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
_LINE = re.compile(r"inkstick: (\S+) (\S+)")


class Firmware(Enum):
    """What a PC starts with."""

    SEABIOS = "seabios"
    OVMF = "ovmf"


class Drive(Enum):
    """What the machine's medium is in."""

    USB = "usb"
    CD = "cd"


_DEVICES = {
    Drive.USB: "usb-storage,id=boot,drive=disk,removable=on,bootindex=1",
    Drive.CD: "ide-cd,id=boot,drive=disk,bootindex=1",
}


class MachineError(AssertionError):
    """The machine did not do in time what it should; the text says how far it came."""


@dataclass
class Machine:
    """A PC with one core, a VGA screen and no network card; `disk` is the stick it starts from.

    `disk` is never written to, unless it `keeps` what is written. `sticks` are plugged in as well and are written
    to. Use it as a context manager: the end of the block is the end of the QEMU process it started, and of no other.
    `drive` says whether it is a stick or a CD; None: no medium, and what is in `more` starts the machine.
    `room` gets serial.log, qemu.log and the screenshots. `more`: further arguments of QEMU's.
    """

    disk: Path
    room: Path
    firmware: Firmware = Firmware.SEABIOS
    sticks: tuple[Path, ...] = ()
    memory_mib: int = 4096
    keeps: bool = False
    more: tuple[str, ...] = ()
    drive: Drive | None = Drive.USB
    _read_from: int = field(default=0, repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _qmp: Qmp | None = field(default=None, repr=False)
    _scratch: Path | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        self.room.mkdir(parents=True, exist_ok=True)
        self._serial.write_bytes(b"")
        # A socket's path must be short.
        self._scratch = Path(tempfile.mkdtemp(prefix="inkstick-"))
        with (self.room / "qemu.log").open("wb") as log:
            self._process = subprocess.Popen(
                self._arguments(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            self._qmp = Qmp.connect(self._scratch / "qmp", self._process)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError, MachineError):
            if error is not None and self.is_on:
                self.screenshot("last")
        self._end()

    def _end(self) -> None:
        if self._qmp is not None:
            self._qmp.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _arguments(self) -> list[str]:
        assert self._scratch is not None
        # One processor: with two, QEMU's interpreter sometimes runs into a breakpoint that the guest's kernel
        # has set for a moment in code that it is changing (a panic with "int3" in it).
        argv = ["nice", "qemu-system-x86_64", "-nodefaults", "-smp", "1", "-m", str(self.memory_mib), "-vga", "std"]
        if os.environ.get("INKSTICK_TEST_KVM"):  # never by itself: /dev/kvm may be there and not work
            argv += ["-accel", "kvm", "-cpu", "host"]
        else:
            # A wide vector costs the interpreter little more than a narrow one: AVX2 halves the time of reading.
            argv += ["-accel", "tcg", "-cpu", "Haswell-noTSX"]
        if self.firmware is Firmware.OVMF:
            variables = self._scratch / "vars.fd"
            shutil.copyfile(_OVMF_VARS, variables)
            argv += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={_OVMF_CODE}"]
            argv += ["-drive", f"if=pflash,format=raw,unit=1,file={variables}"]
        argv += ["-nic", "none", "-display", "none"]
        argv += ["-serial", f"file:{self._serial}", "-qmp", f"unix:{self._scratch / 'qmp'},server=on,wait=off"]
        argv += ["-device", "qemu-xhci,p2=8,p3=8"]
        kind = "qcow2" if self.disk.suffix == ".qcow2" else "raw"
        protected = "off" if self.keeps else "on"
        if self.drive is not None:
            argv += ["-drive", f"if=none,id=disk,format={kind},readonly={protected},file={self.disk}"]
            argv += ["-device", _DEVICES[self.drive]]
        for number, stick in enumerate(self.sticks):
            name = "stick" if number == 0 else f"stick{number + 1}"
            argv += ["-drive", f"if=none,id=data{number},format=raw,cache=writethrough,file={stick}"]
            argv += ["-device", f"usb-storage,id={name},drive=data{number},removable=on"]
        return [*argv, *self.more]

    @property
    def _serial(self) -> Path:
        return self.room / "serial.log"

    @property
    def is_on(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def reports(self) -> dict[str, str]:
        """What the station said on its serial console: milestones with their seconds, `stopped` with its code."""
        return dict(_LINE.findall(self._said))

    @property
    def _said(self) -> str:
        return self._serial.read_bytes()[self._read_from :].decode(errors="replace")

    def expect_restart(self) -> None:
        """Before it is told to start anew: from here on its reports are of the next start."""
        self._read_from = self._serial.stat().st_size

    def wait_for(self, report: str, limit_s: float) -> str:
        """Wait for a milestone, or for `stopped`; answer its seconds or its code.

        Raises MachineError when the limit is over, the machine goes off, or it stopped instead.
        """
        deadline = time.monotonic() + limit_s * PATIENCE
        while report not in (reports := self.reports):
            self._must_not_have_restarted()
            if "stopped" in reports:  # and that was not what is waited for
                raise MachineError(f"stopped with {reports['stopped']} instead of reaching {report}")
            if not self.is_on:
                raise MachineError(f"went off before {report}; it had reported {reports}")
            if time.monotonic() > deadline:
                raise MachineError(f"no {report} within {limit_s * PATIENCE:.0f} s; it had reported {reports}")
            time.sleep(0.5)
        return reports[report]

    def _must_not_have_restarted(self) -> None:
        """A panic before the medium is found is let pass: QEMU's interpreter sometimes runs into one when
        the kernel rewrites its own code, and the station then starts again by itself."""
        if self._said.count("inkstick: medium-found") > 1:
            raise MachineError("the station has restarted by itself")

    def wait_until_off(self, limit_s: float) -> None:
        """Wait until the machine has switched itself off."""
        assert self._process is not None
        try:
            self._process.wait(limit_s * PATIENCE)
        except subprocess.TimeoutExpired:
            raise MachineError(f"still on after {limit_s * PATIENCE:.0f} s") from None

    def press(self, *chords: str) -> None:
        """Press keys one after the other, by QEMU's names; a chord is joined by `+`: "shift+a", "ret"."""
        for chord in chords:
            keys = [{"type": "qcode", "data": key} for key in chord.split("+")]
            self._command("send-key", keys=keys)
            time.sleep(0.3)

    def screenshot(self, name: str) -> Path:
        """What the screen shows now, as a PNG in the machine's room."""
        picture = self.room / f"{name}.png"
        self._command("screendump", filename=str(picture), format="png")
        return picture

    def plug_in(self, device: str, image: Path) -> None:
        """Plug another stick in; `device` is new each time, and names it to `pull_out`."""
        file = {"driver": "raw", "file": {"driver": "file", "filename": str(image)}}
        pace = f"{device}-pace"
        self._command("object-add", **{"qom-type": "throttle-group", "id": pace, "limits": {}})
        node = {"node-name": f"{device}-image", "driver": "throttle", "throttle-group": pace, "file": file}
        self._command("blockdev-add", **node)
        self._command("device_add", driver="usb-storage", id=device, drive=f"{device}-image", removable=True)

    def slow_down(self, device: str, bytes_a_second: int) -> None:
        """A stick that was plugged in takes what is written to it at this pace from now on."""
        limits = {"bps-write": bytes_a_second}
        self._command("qom-set", path=f"/objects/{device}-pace", property="limits", value=limits)

    def bytes_written(self, device: str) -> int:
        """What a stick that was plugged in has taken so far."""
        place = f"/machine/peripheral/{device}/"
        found = self._command("query-blockstats")
        (written,) = (each["stats"]["wr_bytes"] for each in found if each.get("qdev", "").startswith(place))
        return int(written)

    def type(self, text: str) -> None:
        """Lower-case letters, digits and hyphens."""
        self.press(*("minus" if sign == "-" else sign for sign in text))

    def attach(self, driver: str, **properties: object) -> None:
        """Plug any device in: QEMU's name for it, and its properties."""
        self._command("device_add", driver=driver, **properties)

    def pull_out(self, device: str) -> None:
        """Pull a device out: "boot", the stick it runs from, "stick", "stick2", ..., or what was plugged in."""
        self._command("device_del", id=device)

    def board_clock(self) -> datetime:
        """What the clock on the board shows: what the machine would start with after a night without power."""
        tm = self._command("qom-get", path="/machine", property="rtc-time")
        date = (tm["tm_year"] + 1900, tm["tm_mon"] + 1, tm["tm_mday"])
        return datetime(*date, tm["tm_hour"], tm["tm_min"], tm["tm_sec"], tzinfo=UTC)

    def press_power_button(self) -> None:
        self._command("system_powerdown")

    def _command(self, name: str, **arguments: Any) -> Any:
        assert self._qmp is not None
        return self._qmp.command(name, **arguments)


class Qmp:
    """QEMU's control socket, as far as it is needed here."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rw")

    @classmethod
    def connect(cls, path: Path, process: subprocess.Popen[bytes]) -> Qmp:
        deadline = time.monotonic() + 30 * PATIENCE
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(path))
                break
            except OSError:
                connection.close()
                if process.poll() is not None or time.monotonic() > deadline:
                    raise MachineError("QEMU did not start: see qemu.log in the machine's room") from None
                time.sleep(0.1)
        qmp = cls(connection)
        qmp._stream.readline()
        qmp.command("qmp_capabilities")
        return qmp

    def command(self, name: str, **arguments: Any) -> Any:
        """Raises MachineError if QEMU refuses it or has ended."""
        try:
            self._stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
            self._stream.flush()
            for line in self._stream:
                answer = json.loads(line)
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    raise MachineError(f"{name}: {answer['error']['desc']}")
        except OSError as error:
            raise MachineError(f"{name}: {error}") from error
        raise MachineError(f"{name}: QEMU has ended")

    def close(self) -> None:
        with suppress(OSError):
            self._stream.close()
            self._connection.close()


def in_order(reports: dict[str, str], names: Sequence[str] = MILESTONES) -> bool:
    """Whether the milestones that were reported came one after the other."""
    seconds = [float(reports[name]) for name in names if name in reports]
    return seconds == sorted(seconds)
