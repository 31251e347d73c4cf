"""An encrypted model layer: opened by its passphrase, left closed on request, and never guessed at."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from builder import isofs
from builder.verify import verify
from tests.boot import variants
from tests.boot.conftest import StartMachine
from tests.boot.qemu import PATIENCE, Machine
from tests.boot.screen import wait_for_text
from tests.boot.sealed import build_sealed, unpack_initramfs

pytestmark = pytest.mark.full

PASSPHRASE = "open sesame now"
START_S = 1500
ANSWER_S = 600


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_sealed(tmp_path_factory.mktemp("sealed"), PASSPHRASE)


def answer(machine: Machine, number: int, text: str) -> None:
    """Type when the question is put for the `number`th time: what is typed before is thrown away."""
    deadline = time.monotonic() + START_S * PATIENCE
    while machine.reports.get("passphrase-asked") != str(number):
        assert machine.is_on and time.monotonic() < deadline, machine.reports
        time.sleep(0.5)
    machine.press(*("spc" if char == " " else char for char in text), "ret")


def test_it_is_verified_as_it_lies_and_marked_in_the_manifest(sealed: Path) -> None:
    assert verify(sealed, lambda done, total: None).ok
    assert [name for name, layer in variants.layers_of(sealed).items() if layer.encrypted] == ["model"]


def test_the_program_in_the_initramfs_opens_it(sealed: Path, tmp_path: Path) -> None:
    """With its own libraries and nothing else; opening it as a device is left to the machine below."""
    root = unpack_initramfs(sealed, tmp_path / "root")
    layer = variants.layers_of(sealed)["model"]
    extent = isofs.files(sealed)[f"/inkstick/layers/{layer.file}"]
    (root / "layer").write_bytes(isofs.read(sealed, extent))
    (root / "dev").mkdir(exist_ok=True)
    for name, minor in (("null", "3"), ("random", "8"), ("urandom", "9")):
        subprocess.run(["mknod", root / "dev" / name, "c", "1", minor], check=True)
    argv = ["chroot", str(root), "/sbin/cryptsetup", "open", "--type", "luks2", "--readonly", "--test-passphrase"]
    options = ["--disable-locks", "--disable-keyring", "--key-file", "-", "/layer"]
    for passphrase, result in ((PASSPHRASE, 0), ("open sesame", 2)):
        done = subprocess.run([*argv, *options], input=passphrase.encode(), capture_output=True, check=False)
        assert done.returncode == result, done.stderr.decode()


def test_its_passphrase_opens_it_at_the_second_try(sealed: Path, start: StartMachine) -> None:
    machine = start(sealed)
    wait_for_text(machine, "模型已加密", "Type its passphrase", name="1-asked", limit_s=START_S)
    answer(machine, 1, "open sesame")
    wait_for_text(machine, "口令不对", "That was not the passphrase", name="2-asked-again", limit_s=ANSWER_S)
    answer(machine, 2, PASSPHRASE)
    machine.wait_for("layers-open", ANSWER_S)
    assert "model-locked" not in machine.reports
    machine.wait_for("kiosk-painted", START_S)


def test_enter_alone_goes_on_without_it_and_the_station_reads(sealed: Path, start: StartMachine) -> None:
    machine = start(sealed)
    answer(machine, 1, "")
    machine.wait_for("engine-ready", START_S)
    assert machine.reports["model-locked"] == "skipped"


def test_three_wrong_passphrases_stop_the_start(sealed: Path, start: StartMachine) -> None:
    machine = start(sealed)
    for number in (1, 2, 3):
        answer(machine, number, f"guess {number}")
    assert machine.wait_for("stopped", ANSWER_S) == "MODEL-LOCKED"
    wait_for_text(machine, "MODEL-LOCKED", "三次都不对", name="4-stopped", limit_s=ANSWER_S)
    assert "root-switched" not in machine.reports
