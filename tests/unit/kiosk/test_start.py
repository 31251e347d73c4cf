"""The first screen says how far the station is, and the trouble page's code holds what it says."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import numpy as np
import pytest
import segno

from runtime.engine.wire import Loading
from runtime.gateway.app import build_api
from runtime.gateway.hardware import Report, Trouble
from runtime.gateway.milestones import Milestones
from runtime.gateway.reader import Reader
from runtime.hardware.facts import Facts
from runtime.hardware.ladder import judge
from runtime.kiosk import diagnostics
from runtime.kiosk.diagnostics import qr, summary
from runtime.kiosk.start import Start, StartReport, Step, media_gave
from tests.unit.hardware.test_ladder import CASES, LADDER
from tests.unit.runtime.stub_engine import StubEngine
from tests.unit.runtime.test_reader import station


def step(report: StartReport, name: str) -> Step:
    return next(each for each in report.steps if each.name == name)


def test_a_start_tells_what_is_done_and_estimates_only_by_what_was_seen_here(tmp_path: Path) -> None:
    config = station(tmp_path)

    async def trial() -> None:
        milestones = Milestones(config)
        async with asyncio.timeout(60), Reader(config, milestones) as reader:
            rest = build_api(config, reader)
            start = Start(config, reader, milestones, rest.state.selftest, rest.state.watch)
            first = start.now()
            assert step(first, "system").state == "running" and step(first, "engine").state == "running"
            assert step(first, "engine").usual_s is None and step(first, "engine").share is None
            assert first.engine is None and first.tested is None
            milestones.reached("gateway-ready")
            assert step(start.now(), "system").at_s is not None
            async with StubEngine().listening(config.engines[0].socket):
                while reader.state != "ready":
                    await asyncio.sleep(0.02)
                await asyncio.sleep(0.1)
                ready = start.now()
                assert step(ready, "engine").state == "done" and ready.engine == config.engines[0].name
            while reader.state == "ready":
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.5)
            again = step(start.now(), "engine")
            assert again.usual_s is not None and again.share is not None and again.share < 1

    asyncio.run(trial())


def test_an_engine_that_says_what_it_is_at_is_shown_with_that(tmp_path: Path) -> None:
    config = station(tmp_path)

    async def trial() -> None:
        stub = StubEngine(state="loading")
        stub.loading = Loading(phase="weights", share=0.4)
        milestones = Milestones(config)
        async with asyncio.timeout(60), Reader(config, milestones) as reader:
            rest = build_api(config, reader)
            start = Start(config, reader, milestones, rest.state.selftest, rest.state.watch)
            async with stub.listening(config.engines[0].socket):
                while (shown := step(start.now(), "engine")).phase is None:
                    await asyncio.sleep(0.02)
                assert (shown.state, shown.phase, shown.share) == ("running", "weights", 0.4)

    asyncio.run(trial())


def test_the_kernels_count_of_what_media_gave(tmp_path: Path) -> None:
    stats = tmp_path / "diskstats"
    stats.write_text(
        " 8 0 sda 10 0 2000 5 0 0 0 0 0 0 0\n 8 1 sda1 10 0 1000 5 0 0 0 0 0 0 0\n 7 0 loop0 9 0 900 5 0 0 0 0 0 0 0\n"
        "254 0 dm-0 9 0 900 5 0 0 0 0 0 0 0\n 11 0 sr0 1 0 48 5 0 0 0 0 0 0 0\n"
    )
    assert media_gave(stats) == 2048 * 512
    assert media_gave(tmp_path / "none") == 0


def seen(text: str) -> str:
    """What a reader makes of the code: OpenCV's newer one, since the older misses one in four of any program's."""
    import cv2

    out = io.BytesIO()
    made = segno.make(text, error="m", micro=False, boost_error=False)
    made.save(out, kind="png", scale=6, border=4)
    picture = cv2.imdecode(np.frombuffer(out.getvalue(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return str(cv2.QRCodeDetectorAruco().detectAndDecode(picture)[0])


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_trouble_fits_into_a_code_and_is_read_back(tmp_path: Path, case: str) -> None:
    facts: Facts = CASES[case][0]
    report = Report.model_validate(judge(facts, LADDER).as_json({}))
    text = summary(station(tmp_path), report, ["memory", "no-engine"])
    assert all(trouble.code in text for trouble in report.troubles)
    assert "kernel " in text and "ram " in text and "alerts memory,no-engine" in text
    assert text.isascii() and len(text) <= 660
    assert seen(text) == text


def test_what_is_too_long_is_cut_and_still_read(tmp_path: Path) -> None:
    troubles = [Trouble(code=f"CODE-{number}", detail="文" * 500) for number in range(20)]
    text = summary(station(tmp_path), Report(troubles=troubles), [])
    assert len(text) <= 660 and text.isascii()
    assert seen(text) == text


def test_the_code_is_an_svg_of_the_pages_own_two_colours() -> None:
    drawn = qr("INKSTICK 0.1.0 demo").decode()
    assert drawn.startswith("<svg") and "#1b1a17" in drawn and "<script" not in drawn


def test_facts_of_a_card_are_told(tmp_path: Path) -> None:
    facts = {
        "gpus": [{"name": "NVIDIA GeForce RTX 4090 D", "vram_bytes": 25_757_220_864, "capability": 89}],
        "module_version": "570.1",
        "library_version": "570.2",
        "secure_boot": True,
        "ram_bytes": 64_000_000_000,
    }
    text = summary(station(tmp_path), Report(facts=facts), [])
    assert "card NVIDIA GeForce RTX 4090 D 25.8GB sm_89" in text
    assert "driver 570.1/570.2" in text and "secureboot on" in text and "ram 64.0GB" in text
    assert diagnostics._driver({"module_version": "1", "library_version": "1"}) == "1"
