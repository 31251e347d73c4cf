"""Jobs in real processes: a killed gateway loses no accepted job and repeats no finished page."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.integration.station import Station, running_station
from tests.pages.cer import cer
from tests.pages.hostile import encoded, text_pdf, zipped
from tests.pages.render import render, turned


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with running_station(tmp_path_factory.mktemp("station")) as running:
        yield running


def submit(station: Station, *files: bytes, **query: str) -> dict[str, Any]:
    parts = [("file", (f"{index}", data)) for index, data in enumerate(files)]
    answer = station.http.post("/v1/jobs", params=query, files=parts)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def status(station: Station, job: dict[str, Any]) -> dict[str, Any]:
    """As a patient client asks: while the gateway is away, again."""
    while True:
        with contextlib.suppress(httpx.TransportError):
            told: dict[str, Any] = station.http.get(job["status_url"]).json()
            return told
        time.sleep(0.1)


def finished(station: Station, job: dict[str, Any]) -> dict[str, Any]:
    while status(station, job)["state"] in ("queued", "running"):
        time.sleep(0.1)
    result: dict[str, Any] = station.http.get(job["result_url"]).json()
    return result


def pages_read(station: Station) -> float:
    text = station.http.get("/metrics").text
    found = [line for line in text.splitlines() if line.startswith("ocr_pages_total")]
    return sum(float(line.rpartition(" ")[2]) for line in found)


def test_a_killed_gateway_loses_no_job_and_repeats_no_finished_page(station: Station) -> None:
    sheet = render("columns")
    big = sheet.image.resize((sheet.image.width * 2, sheet.image.height * 2))
    tiff = encoded(big, "TIFF", save_all=True, append_images=[big] * 4)
    job = submit(station, tiff)
    while (done := status(station, job)["pages_done"]) < 2:
        time.sleep(0.05)
    (gateway,) = station.pids("gateway")
    os.kill(gateway, signal.SIGKILL)
    result = finished(station, job)
    assert (result["state"], len(result["pages"])) == ("done", 5)
    for page in result["pages"]:
        assert cer(sheet.text, page["result"]["text"]) <= 0.02
    assert station.pids("gateway") != [gateway]
    assert 1 <= pages_read(station) <= 5 - done  # counted from the new gateway's start


def test_a_mixed_batch_is_read_whichever_way_up(station: Station) -> None:
    scan = encoded(turned(render("english"), 180).image, "PDF")
    own = text_pdf(["This page was born digital", "and nobody had to read it."])
    archive = zipped({"b.png": encoded(render("chinese").image, "PNG"), "a.pdf": own})
    result = finished(station, submit(station, scan, archive))
    texts = [page["result"]["text"] for page in result["pages"]]
    assert cer(render("english").text, texts[0]) <= 0.02
    assert texts[1] == "This page was born digital\nand nobody had to read it."
    assert cer(render("chinese").text, texts[2]) <= 0.02
    engines = [page["result"]["engine"]["name"] for page in result["pages"]]
    assert engines == ["rapidocr", "pdf-text", "rapidocr"]


def test_a_region_alone_is_read(station: Station) -> None:
    sheet = render("columns").image
    answer = station.http.post("/ocr?region=0,0,1000,180", files={"file": ("a.png", encoded(sheet, "PNG"))})
    assert answer.json() == {"text": "Stakes Along the River"}


def test_a_cancelled_job_leaves_the_engine_free(station: Station) -> None:
    big = Image.new("RGB", (3000, 4000), "white")
    big.paste(render("english").image.resize((3000, 1680)))
    job = submit(station, *[encoded(big, "PNG")] * 3)
    while status(station, job)["state"] == "queued":
        time.sleep(0.05)
    assert station.http.delete(job["status_url"]).json()["state"] == "cancelled"
    answer = station.http.post("/ocr", files={"file": ("a.png", encoded(render("slip").image, "PNG"))})
    assert answer.status_code == 200
    assert status(station, job)["pages_done"] < 3


def test_jobs_lie_where_the_configuration_says(station: Station) -> None:
    assert isinstance(station.milestones, Path)
    assert (station.milestones.parent / "jobs" / "jobs.sqlite3").is_file()
