"""Boot tests: the finished ISO in QEMU. The ISO comes from --iso or $INKSTICK_TEST_ISO."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.boot.qemu import Drive, Firmware, Machine

ARTIFACTS = Path(__file__).parents[1] / "artifacts" / "boot"

StartMachine = Callable[..., Machine]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--iso", type=Path, help="the demo profile's ISO, for the boot tests")


@pytest.fixture(scope="session")
def iso(request: pytest.FixtureRequest) -> Path:
    """The ISO under test."""
    named: Path | None = request.config.getoption("--iso")
    path = named or Path(os.environ.get("INKSTICK_TEST_ISO", ""))
    if not path.is_file():
        pytest.fail("no ISO to boot: give --iso or set INKSTICK_TEST_ISO")
    return path.resolve()


@pytest.fixture
def room(request: pytest.FixtureRequest) -> Path:
    """Where this test leaves its screenshots and serial log; emptied when it starts."""
    name: str = request.node.name
    folder = ARTIFACTS / name.removeprefix("test_").replace("[", "-").rstrip("]")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def start(room: Path) -> Iterator[StartMachine]:
    """Switch a machine on; it is gone when the test ends."""
    with ExitStack() as machines:

        def switch_on(
            disk: Path,
            firmware: Firmware = Firmware.SEABIOS,
            *sticks: Path | None,
            more: tuple[str, ...] = (),
            drive: Drive | None = Drive.USB,
            memory_mib: int = 4096,
        ) -> Machine:
            plugged = tuple(stick for stick in sticks if stick)
            machine = Machine(disk, room, firmware, plugged, memory_mib=memory_mib, more=more, drive=drive)
            return machines.enter_context(machine)

        yield switch_on
