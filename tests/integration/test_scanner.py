"""The scanner service against SANE: its own trial backend, and the driverless path through sane-airscan."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from builder.keys import ROOT
from runtime.problems import Problem
from runtime.scanner.client import ScannerClient
from runtime.scanner.scanimage import Job
from tests.integration.escl_scanner import EsclScanner, on_glass
from tests.pages.render import render

Start = Callable[..., ScannerClient]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the service with SANE's trial backend, or with sane-airscan for a scanner at a port."""
    running: list[subprocess.Popen[bytes]] = []

    def service(*trial: str, airscan_at: int | None = None) -> ScannerClient:
        sane = tmp_path / "sane.d"
        sane.mkdir()
        (sane / "dll.conf").write_text("test\n" if airscan_at is None else "airscan\n")
        (sane / "test.conf").write_text("\n".join((*_TRIAL, *trial, "")))
        config = tmp_path / "station.json"
        config.write_text(json.dumps({"scanner_socket": str(tmp_path / "scanner.sock")}))
        command = [sys.executable, "-m", "runtime.scanner", "--config", str(config), "--sane", str(sane)]
        command += ["--first-port", str(airscan_at or 1)]
        running.append(subprocess.Popen(command, cwd=ROOT))
        deadline = time.monotonic() + 60
        while not (tmp_path / "scanner.sock").exists():
            assert time.monotonic() < deadline and running[-1].poll() is None
            time.sleep(0.05)
        return ScannerClient(tmp_path / "scanner.sock")

    yield service
    for process in running:
        process.terminate()
        assert process.wait(60) == 0


_TRIAL = (
    *("number_of_devices 1", "mode Gray", "depth 8", "resolution_min 1.0", "resolution_max 1200.0"),
    *("resolution_quant 1.0", "resolution 50.0", 'test-picture "Grid"', "geometry_min 0.0", "geometry_max 200.0"),
    *("geometry_quant 1.0", "tl_x 0.0", "tl_y 0.0", "br_x 80.0", "br_y 100.0"),
)
FEEDER = "Automatic Document Feeder"


def scan(client: ScannerClient, job: Job) -> tuple[list[Image.Image], list[float]]:
    pages: list[bytes] = []
    shares: list[float] = []
    count = asyncio.run(client.scan(job, lambda _, share: shares.append(share), pages.append))
    assert count == len(pages)
    return [Image.open(io.BytesIO(page)) for page in pages], shares


def code(client: ScannerClient, job: Job) -> str:
    with pytest.raises(Problem) as refused:
        scan(client, job)
    return refused.value.kind.code


def test_the_tools_are_there() -> None:
    assert shutil.which("scanimage"), "apt-get install sane-utils sane-airscan"


def test_a_scanner_says_what_it_can(start: Start) -> None:
    client = start()
    (device,) = asyncio.run(client.devices())
    assert (device.id, device.name) == ("test:0", "frontend-tester")
    abilities = asyncio.run(client.abilities(device.id))
    assert [(source.name, source.kind) for source in abilities.sources] == [("Flatbed", "flatbed"), (FEEDER, "feeder")]
    assert (abilities.grey, abilities.colour) == ("Gray", "Color")
    assert abilities.resolutions == (75, 150, 200, 300, 400, 600)
    assert (abilities.width_mm, abilities.height_mm) == (200, 200)


def test_a_flatbed_gives_one_page_as_it_was_asked_for(start: Start) -> None:
    client = start()
    (page,), shares = scan(client, Job("test:0", "Flatbed", "Color", 75, 148, 100))
    assert page.mode == "RGB"
    assert page.width == pytest.approx(148 / 25.4 * 75, abs=2)
    assert page.height == pytest.approx(100 / 25.4 * 75, abs=2)
    assert shares and shares[-1] == 1


def test_a_feeder_is_scanned_until_it_is_empty(start: Start) -> None:
    pages, _ = scan(start(), Job("test:0", FEEDER, "Gray", 75))
    assert len(pages) == 10  # the trial backend's feeder holds ten


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        ("SANE_STATUS_JAMMED", "scanner-jammed"),
        ("SANE_STATUS_COVER_OPEN", "scanner-cover-open"),
        ("SANE_STATUS_NO_DOCS", "scanner-empty"),
        ("SANE_STATUS_DEVICE_BUSY", "scanner-busy"),
        ("SANE_STATUS_IO_ERROR", "scanner-failed"),
    ],
)
def test_what_goes_wrong_has_a_name(start: Start, status: str, problem: str) -> None:
    client = start(f'read-status-code "{status}"')
    assert code(client, Job("test:0", FEEDER, "Gray", 75)) == problem


def test_a_scanner_that_is_not_there_is_said(start: Start) -> None:
    client = start()
    assert code(client, Job("test:7")) == "scanner-gone"
    with pytest.raises(Problem) as refused:
        asyncio.run(client.abilities("pixma:04A91913"))
    assert refused.value.kind.code == "scanner-gone"


def test_a_scan_that_is_given_up_leaves_the_scanner_free(start: Start) -> None:
    client = start("read-delay true", "read-delay-duration 200000", "read-limit true", "read-limit-size 400")

    async def give_up() -> None:
        began = asyncio.Event()
        job = Job("test:0", "Flatbed", "Gray", 300)
        work = asyncio.create_task(client.scan(job, lambda *_: began.set(), lambda _: None))
        await asyncio.wait_for(began.wait(), 60)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(give_up())
    assert asyncio.run(client.devices())


@pytest.mark.parametrize("word", ["--help", "-x"])
def test_words_of_a_caller_never_become_options(start: Start, word: str) -> None:
    client = start()
    assert code(client, Job(word)) == "bad-request"
    assert code(client, Job("test:0", source=word)) == "bad-request"


def test_without_a_scanner_the_list_is_empty(start: Start) -> None:
    with EsclScanner(Image.new("RGB", (10, 10))) as scanner:
        unused = scanner.port
    assert asyncio.run(start(airscan_at=unused).devices()) == ()


def test_a_driverless_scanner_is_found_and_scans_from_its_glass(start: Start) -> None:
    page = render("english")
    with EsclScanner(on_glass(page.image)) as scanner:
        client = start(airscan_at=scanner.port)
        (device,) = asyncio.run(client.devices())
        assert device.name == "Inkstick Trial 1000"
        abilities = asyncio.run(client.abilities(device.id))
        assert {source.kind for source in abilities.sources} == {"flatbed", "feeder"}
        assert abilities.resolutions == (150, 300)
        source = next(source for source in abilities.sources if source.kind == "flatbed")
        (scanned,), _ = scan(client, Job(device.id, source.name, abilities.colour, 150))
        assert scanned.width == pytest.approx(1275, abs=4)
        (job,) = scanner.jobs
        assert "Platen" in job and "RGB24" in job
        darkest = scanned.convert("L").crop((0, 0, 1000, 560)).tobytes()
        assert min(darkest) < 60  # ink


def test_a_driverless_feeder_and_its_faults(start: Start) -> None:
    with EsclScanner(Image.new("RGB", (10, 10))) as scanner:
        scanner.feeder = [on_glass(render(kind).image) for kind in ("english", "chinese", "note")]
        client = start(airscan_at=scanner.port)
        (device,) = asyncio.run(client.devices())
        sources = asyncio.run(client.abilities(device.id)).sources
        feeder = next(source.name for source in sources if source.kind == "feeder")
        job = Job(device.id, feeder, "", 150)
        assert len(scan(client, job)[0]) == 3
        assert code(client, job) == "scanner-empty"
        scanner.feeder = [on_glass(render("note").image)]
        scanner.adf_state = "ScannerAdfJam"
        assert code(client, job) == "scanner-jammed"
        scanner.adf_state = "ScannerAdfDoorOpen"
        assert code(client, job) == "scanner-cover-open"
