"""A printer on loopback, and CUPS to print on it: Debian's cupsd by the station's own settings, and CUPS's own
IPP Everywhere printer, which keeps what it prints and can be told that it is out of paper.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from builder.keys import ROOT

_SETTINGS = ROOT / "overlay/printing/etc/inkstick/cups"
_HOME = "/run/inkstick-cups"
_PATIENCE_S = 240
# What the printer does with a job: it waits until nothing keeps it from printing, and tells what does.
_PRINT = """#!/bin/sh
told=
while [ -s {room}/halt ]; do
  [ "$told" ] || {{ told=$(cat {room}/halt); echo "STATE: +$told" >&2; }}
  sleep 0.1
done
[ -z "$told" ] || echo "STATE: -$told" >&2
[ ! -e {room}/gives-up ] || exit 1
mv "$(cp "$1" {room}/coming.$$ && echo {room}/coming.$$)" "{room}/printed/$(date +%s%N)x${{IPP_COPIES:-1}}"
"""


@dataclass
class IppPrinter:
    """`cups`: its socket."""

    room: Path
    port: int
    cups: Path
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None

    @property
    def printed(self) -> list[Path]:
        """What came out, a file a job, in the printer's own format; its name ends in `x` and the copies made."""
        return sorted((self.room / "printed").iterdir())

    def halt(self, reason: str) -> None:
        """From the next job on it waits, for this reason (a keyword of printer-state-reasons); "": it goes on."""
        fresh = self.room / "halt.new"
        fresh.write_text(reason)
        fresh.rename(self.room / "halt")

    @contextmanager
    def switched_off(self) -> Iterator[None]:
        self.switch_off()
        yield
        self.switch_on()

    def switch_on(self) -> None:
        """Returns when it answers."""
        self.process = self.start()
        until(self.answers, "the printer does not answer")

    def switch_off(self) -> None:
        if self.process is not None:
            _end(self.process)
        self.process = None

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def cancel(self) -> None:
        """The job at hand, by the button on the printer itself."""
        address = f"ipp://localhost:{self.port}/ipp/print"
        subprocess.run(["ipptool", "-q", address, "cancel-current-job.test"], check=True)

    def gives_up(self, ever: bool) -> None:
        """Whether it fails at every job."""
        (self.room / "gives-up").touch() if ever else (self.room / "gives-up").unlink(missing_ok=True)

    def wait_for(self, sheets_of_jobs: int) -> list[Path]:
        """Until so many jobs have come out."""
        until(lambda: len(self.printed) >= sheets_of_jobs, "nothing was printed")
        return self.printed


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@contextmanager
def ipp_printer(port: int, formats: str = "application/pdf,image/pwg-raster") -> Iterator[IppPrinter]:
    """Both as a user without rights. The room is open to it, which pytest's own are not."""
    with ExitStack() as stack:
        room = Path(tempfile.mkdtemp(prefix="inkstick-printer-"))
        stack.callback(shutil.rmtree, room, ignore_errors=True)
        for name in ("cups/root", "cups/state", "cups/cache", "cups/spool/tmp", "printed", "spool"):
            (room / name).mkdir(parents=True)
        (room / "print").write_text(_PRINT.format(room=room))
        for file in _SETTINGS.iterdir():
            (room / file.name).write_text(file.read_text().replace(_HOME, str(room / "cups")))
        _give_away(room)
        bus = f"unix:path={room}/bus"
        daemon = _started(room, "bus", ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={bus}"])
        stack.callback(_end, daemon)
        until((room / "bus").exists, "no bus")
        printer = ["ippeveprinter", "-r", "off", "-n", "localhost", "-p", str(port), "-d", str(room / "spool")]
        printer += ["-f", formats, "-c", str(room / "print"), "-M", "Inkstick", "-m", "Trial 2000", "Trial"]
        # It would tell the network of itself, by way of the system's bus; this one leads nowhere.
        start = partial(_started, room, "printer", printer, DBUS_SYSTEM_BUS_ADDRESS=bus)
        made = IppPrinter(room, port, room / "cups/cups.sock", start)
        made.halt("")
        stack.callback(made.switch_off)
        made.switch_on()
        cupsd = _started(room, "cupsd", ["cupsd", "-f", "-c", f"{room}/cupsd.conf", "-s", f"{room}/cups-files.conf"])
        stack.callback(_end, cupsd)
        until(made.cups.exists, "CUPS does not listen")
        yield made


@contextmanager
def printer_service(printer: IppPrinter, station: Path) -> Iterator[None]:
    """The station's service for this printer; `station`: the configuration that names its socket."""
    socket = Path(json.loads(station.read_text())["printer_socket"])
    command = [sys.executable, "-m", "runtime.printer", "--config", str(station)]
    command += ["--cups", str(printer.cups), "--first-port", str(printer.port)]
    service = subprocess.Popen(command, cwd=ROOT)
    try:
        until(socket.exists, "the service does not listen")
        yield
    finally:
        _end(service)


def _give_away(room: Path) -> None:
    (room / "print").chmod(0o755)
    room.chmod(0o755)
    if os.geteuid() == 0:
        for path in (room, *room.rglob("*")):
            shutil.chown(path, "nobody", "nogroup")


def _started(room: Path, name: str, argv: list[str], **environment: str) -> subprocess.Popen[bytes]:
    rights: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    whole = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin", "HOME": str(room), **environment}
    with open(room / f"{name}.log", "ab") as log:
        return subprocess.Popen(argv, stdout=log, stderr=log, env=whole, **rights)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
