"""The gateway loses no page: engines may load, die and come back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from PIL import Image

from runtime.config import EngineConfig, Limits, Listener, StationConfig
from runtime.gateway import reader as reader_module
from runtime.gateway.milestones import Milestones
from runtime.gateway.reader import Reader
from runtime.problems import (
    ENGINE_FAILED,
    ENGINE_TIMEOUT,
    ENGINE_UNAVAILABLE,
    NOT_AN_IMAGE,
    PAGE_SET_ASIDE,
    QUEUE_FULL,
    Problem,
)
from runtime.results import Progress
from tests.pages.hostile import text_pdf
from tests.unit.runtime.stub_engine import StubEngine

Folder = Path
Trial = Callable[[Reader], Awaitable[None]]


def png() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (4, 4)).save(held, "PNG")
    return held.getvalue()


def station(folder: Path, **limits: int) -> StationConfig:
    return StationConfig(
        profile="test",
        version="0",
        ui=Listener(host="127.0.0.1", port=0),
        api=Listener(host="127.0.0.1", port=0),
        engines=[EngineConfig(name="stub", socket=folder / "engine.sock")],
        milestones=str(folder / "milestones"),
        limits=Limits(**limits),
    )


def run(folder: Path, engine: StubEngine | None, trial: Trial, **limits: int) -> None:
    async def everything() -> None:
        async with asyncio.timeout(30), Reader(station(folder, **limits)) as reader:
            if engine is None:
                await trial(reader)
            else:
                async with engine.listening(folder / "engine.sock"):
                    await trial(reader)

    asyncio.run(everything())


def test_a_page_is_read_and_progress_told(tmp_path: Path) -> None:
    told: list[Progress] = []

    async def trial(reader: Reader) -> None:
        result = await reader.read(png(), on_progress=told.append)
        assert result.text == "read"
        assert reader.state == "ready"

    run(tmp_path, StubEngine(), trial)
    assert [progress.stage for progress in told] == ["queued", "decode", "recognise"]


@pytest.mark.parametrize("death", ["die", "end-early"])
def test_a_page_whose_engine_dies_is_read_again(tmp_path: Path, death: str) -> None:
    engine = StubEngine(death, "read")  # type: ignore[arg-type]
    told: list[Progress] = []

    async def trial(reader: Reader) -> None:
        assert (await reader.read(png(), on_progress=told.append)).text == "read"

    run(tmp_path, engine, trial)
    assert engine.pages == 2
    assert [progress.stage for progress in told].count("restart") == 1


def test_a_page_that_kills_the_engine_twice_is_set_aside(tmp_path: Path) -> None:
    engine = StubEngine("die")

    async def trial(reader: Reader) -> None:
        with pytest.raises(Problem) as caught:
            await reader.read(png())
        assert caught.value.kind is PAGE_SET_ASIDE
        assert caught.value.detail == "While reading it, stub stopped, then stub stopped. Other pages are read."
        assert engine.pages == 2
        engine.deeds = ["read"]
        assert (await reader.read(png())).text == "read", "the next page is read all the same"

    run(tmp_path, engine, trial)


def test_a_page_that_kills_is_known_again_when_its_engine_was_long_in_coming_back(tmp_path: Path) -> None:
    engine = StubEngine("die")
    engine.after_death = "loading"

    async def trial(reader: Reader) -> None:
        with pytest.raises(Problem) as caught:
            await reader.read(png())
        assert caught.value.kind is ENGINE_UNAVAILABLE and engine.pages == 1
        engine.state = "ready"
        with pytest.raises(Problem) as caught:
            await reader.read(png())
        assert caught.value.kind is PAGE_SET_ASIDE and engine.pages == 2

    run(tmp_path, engine, trial, engine_wait_s=1)


def test_a_page_waits_for_an_engine_that_loads(tmp_path: Path) -> None:
    engine = StubEngine(state="loading")

    async def trial(reader: Reader) -> None:
        assert reader.state == "starting"
        page = asyncio.create_task(reader.read(png()))
        await asyncio.sleep(0.4)
        assert not page.done() and engine.pages == 0
        engine.state = "ready"
        assert (await page).text == "read"

    run(tmp_path, engine, trial)


def test_no_engine_at_all_is_said_in_bounded_time(tmp_path: Path) -> None:
    async def trial(reader: Reader) -> None:
        with pytest.raises(Problem) as caught:
            await reader.read(png())
        assert caught.value.kind is ENGINE_UNAVAILABLE

    run(tmp_path, None, trial, engine_wait_s=1)


def test_an_engine_that_hangs_is_given_up_and_told_so(tmp_path: Path) -> None:
    engine = StubEngine("hang", "read")

    async def trial(reader: Reader) -> None:
        with pytest.raises(Problem) as caught:
            await reader.read(png())
        assert caught.value.kind is ENGINE_TIMEOUT
        assert (await reader.read(png())).text == "read"
        assert engine.given_up == 1

    run(tmp_path, engine, trial, request_timeout_s=1)


def test_an_engine_that_reads_is_looked_after_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells of the page itself, and its health is asked for on the cores that it reads with."""
    engine = StubEngine("hang")
    monkeypatch.setattr(reader_module, "_POLL_S", 0.02)

    async def trial(reader: Reader) -> None:
        monkeypatch.setattr(reader_module, "_POLLS_SPARED", 1 << 30)
        while engine.looks < 3:
            await asyncio.sleep(0.01)
        page = asyncio.create_task(reader.read(png()))
        while engine.at_work == 0:
            await asyncio.sleep(0.01)
        before = engine.looks
        await asyncio.sleep(0.3)
        assert engine.looks <= before + 1, "one was under way"
        page.cancel()
        monkeypatch.setattr(reader_module, "_POLLS_SPARED", 2)
        while engine.looks < before + 4:  # those to come know it
            await asyncio.sleep(0.01)
        page = asyncio.create_task(reader.read(png()))
        while engine.at_work == 0:
            await asyncio.sleep(0.01)
        before = engine.looks
        while engine.looks < before + 3:
            await asyncio.sleep(0.01)
        page.cancel()

    run(tmp_path, engine, trial)


def test_cancelling_reaches_the_engine(tmp_path: Path) -> None:
    engine = StubEngine("hang", "read")

    async def trial(reader: Reader) -> None:
        page = asyncio.create_task(reader.read(png()))
        while engine.at_work == 0:
            await asyncio.sleep(0.01)
        page.cancel()
        await asyncio.wait([page])
        assert (await reader.read(png())).text == "read"
        assert engine.given_up == 1

    run(tmp_path, engine, trial)


def test_an_engine_that_cannot_read_a_page_says_so_once(tmp_path: Path) -> None:
    engine = StubEngine("fail")

    async def trial(reader: Reader) -> None:
        with pytest.raises(Problem) as caught:
            await reader.read(png())
        assert caught.value.kind is ENGINE_FAILED

    run(tmp_path, engine, trial)
    assert engine.pages == 1


def test_pages_are_read_one_at_a_time(tmp_path: Path) -> None:
    engine = StubEngine()

    async def trial(reader: Reader) -> None:
        await asyncio.gather(*(reader.read(png()) for _ in range(8)))

    run(tmp_path, engine, trial)
    assert engine.pages == 8 and engine.most_at_work == 1


def test_a_sticks_file_is_an_image_or_refused(tmp_path: Path) -> None:
    async def trial(reader: Reader) -> None:
        for data in (b"%PDF-1.7\n", b"PK\x05\x06" + bytes(18), b"words"):
            with pytest.raises(Problem):
                await reader.read(data)
        with pytest.raises(Problem) as caught:
            await reader.read(text_pdf(["born digital"]))
        assert caught.value.kind is NOT_AN_IMAGE

    engine = StubEngine()
    run(tmp_path, engine, trial)
    assert engine.pages == 0


def test_a_full_queue_refuses_with_a_time(tmp_path: Path) -> None:
    engine = StubEngine("hang")

    async def trial(reader: Reader) -> None:
        pages = [asyncio.create_task(reader.read(png())) for _ in range(4)]  # one is opened meanwhile
        while reader.waiting < 2 or engine.at_work == 0:
            await asyncio.sleep(0.01)
        with pytest.raises(Problem) as caught:
            await reader.read(png())
        assert caught.value.kind is QUEUE_FULL and caught.value.retry_after_s
        for page in pages:
            page.cancel()
        await asyncio.wait(pages)
        assert reader.waiting == 0

    run(tmp_path, engine, trial, queue_pages=2)


def test_files_held_in_memory_are_bounded(tmp_path: Path) -> None:
    engine = StubEngine("hang")

    async def trial(reader: Reader) -> None:
        page = asyncio.create_task(reader.read(png()))
        while engine.at_work == 0:
            await asyncio.sleep(0.01)
        with pytest.raises(Problem) as caught:
            await reader.read(png())
        assert caught.value.kind is QUEUE_FULL
        page.cancel()
        await asyncio.wait([page])

    run(tmp_path, engine, trial, queue_bytes=len(png()) + 1)


def test_what_cannot_be_read_does_not_wait_for_an_engine(tmp_path: Path) -> None:
    async def trial(reader: Reader) -> None:
        with pytest.raises(Problem) as caught:
            await reader.read(b"no image")
        assert caught.value.kind is NOT_AN_IMAGE

    run(tmp_path, None, trial)


def test_a_restarted_engine_is_counted(tmp_path: Path) -> None:
    engine = StubEngine("die", "read")

    async def trial(reader: Reader) -> None:
        await reader.read(png())
        assert reader.engines[0].restarts_seen == 1

    run(tmp_path, engine, trial)


def test_milestones_are_told_once_each_with_seconds(tmp_path: Path) -> None:
    async def trial(reader: Reader) -> None:
        await reader.read(png())
        await asyncio.sleep(1.2)

    run(tmp_path, StubEngine(), trial)
    lines = (tmp_path / "milestones").read_bytes().split(b"\r\n")
    assert len(lines) == 2 and lines[1] == b""
    word, name, seconds = lines[0].split()
    assert (word, name) == (b"inkstick:", b"engine-ready") and float(seconds) > 0


def test_milestones_that_cannot_be_written_stop_nothing(tmp_path: Path) -> None:
    Milestones(station(tmp_path / "missing")).reached("gateway-ready")
