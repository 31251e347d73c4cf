"""Pages in scripts that PP-OCRv6 lacks, through the whole station."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.integration.station import Station, running_station
from tests.pages.cer import cer
from tests.pages.render import RenderedPage, render, turned
from tests.pages.scripts import TEXTS, script_page
from tests.unit.scripts.test_reader import LANGUAGES, MEASURED, READ_BY


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    engine = {"name": "rapidocr", "threads": 2, "languages": list(LANGUAGES)}
    with running_station(tmp_path_factory.mktemp("station"), engines=[engine]) as running:
        yield running


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """A station with Korean alone."""
    engine = {"name": "rapidocr", "threads": 2, "languages": ["kor"]}
    with running_station(tmp_path_factory.mktemp("narrow"), engines=[engine]) as running:
        yield running


def send(station: Station, image: Image.Image) -> httpx.Response:
    held = io.BytesIO()
    image.save(held, "PNG")
    return station.http.post("/ocr?detail=full&task=text", files={"file": ("page.png", held.getvalue())})


def read(station: Station, image: Image.Image) -> dict[str, Any]:
    answer = send(station, image)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


@pytest.mark.parametrize("faults", [False, True], ids=["clean", "photographed"])
@pytest.mark.parametrize("name", READ_BY)
def test_a_page_is_read_and_each_line_says_by_what(station: Station, name: str, faults: bool) -> None:
    page = script_page(name, faults=faults, seed=1)
    result = read(station, page.image)
    assert cer(page.text, result["text"]) <= MEASURED[name] + 0.02
    assert {line["reader"] for line in result["lines"]} == {f"tesseract {READ_BY[name]}"}
    assert result["rotation"] == 0 and not result["unread"]


@pytest.mark.parametrize(("name", "clockwise"), [("korean", 180), ("arabic", 90), ("hebrew", 180), ("hindi", 270)])
def test_a_turned_page_is_turned_upright_by_what_can_be_read(station: Station, name: str, clockwise: int) -> None:
    page: RenderedPage = turned(script_page(name), clockwise)
    result = read(station, page.image)
    assert result["rotation"] == 360 - clockwise
    assert cer(page.text, result["text"]) <= MEASURED[name] + 0.02


@pytest.mark.parametrize("faults", [False, True], ids=["clean", "photographed"])
def test_on_a_mixed_page_every_line_goes_to_its_own_reader(station: Station, faults: bool) -> None:
    page = script_page("mixed", faults=faults, seed=1)
    result = read(station, page.image)
    assert cer(page.text, result["text"]) <= 0.03
    readers = [line["reader"].removeprefix("tesseract ") for line in result["lines"]]
    own = "PP-OCRv6"
    assert readers == [own, own, "kor", "rus", own, "ell", "heb", own, "ara", "tha", "hin", own]


@pytest.mark.parametrize("kind", ["english", "chinese", "columns", "slip"])
def test_pages_of_our_own_scripts_are_read_as_ever(station: Station, kind: str) -> None:
    page = render(kind, faults=True, seed=7)
    result = read(station, page.image)
    assert cer(page.text, result["text"]) <= 0.02
    assert {line["reader"] for line in result["lines"]} == {"PP-OCRv6"} and not result["warnings"]


def test_words_of_a_line_that_runs_left_are_in_the_order_of_reading(station: Station) -> None:
    first = read(station, script_page("arabic").image)["lines"][0]
    assert first["text"].split()[0] == TEXTS["arabic"].split()[0]


def test_a_page_in_a_script_that_nothing_reads_is_named_and_refused(narrow: Station) -> None:
    unread = [("tamil", "Tamil", "泰米尔文"), ("russian", "Cyrillic", "西里尔文")]
    for name, en, zh in [*unread, ("thai", "Thai", "泰文"), ("hebrew", "Hebrew", "希伯来文")]:
        answer = send(narrow, script_page(name).image)
        assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["code"], problem["scripts"], problem["scripts_zh"]) == ("script-not-read", en, zh)
        assert f"{en} ({zh})" in problem["detail"] and "Korean" in problem["detail"]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_script_that_detection_takes_for_latin_is_refused_all_the_same(narrow: Station, seed: int) -> None:
    """Photographed Thai: no text is better than `aau`, also where its name cannot be told."""
    problem = send(narrow, script_page("thai", faults=True, seed=seed).image).json()
    assert problem["code"] == "script-not-read" and problem["scripts"] in ("Thai", "unknown")


def test_lines_that_nothing_reads_are_left_out_of_a_page_and_told(narrow: Station) -> None:
    result = read(narrow, _english_with_tamil())
    assert result["warnings"] == ["unread-script"]
    assert {line["script"] for line in result["unread"]} == {"Tamil"} and len(result["unread"]) == 3
    assert all(line["reader"] == "PP-OCRv6" for line in result["lines"])
    assert cer(render("english").text, result["text"]) <= 0.02


def test_in_a_job_the_page_that_nothing_reads_fails_alone_and_says_why(narrow: Station) -> None:
    files = []
    for name, image in (
        ("a", render("note").image),
        ("b", script_page("tamil").image),
        ("c", script_page("korean").image),
    ):
        held = io.BytesIO()
        image.save(held, "PNG")
        files.append(("file", (f"{name}.png", held.getvalue())))
    job = narrow.http.post("/v1/jobs", params={"task": "text"}, files=files).json()
    while narrow.http.get(job["status_url"]).json()["state"] in ("queued", "running"):
        time.sleep(0.2)
    pages = narrow.http.get(job["result_url"]).json()["pages"]
    assert [page["failure"] and page["failure"]["code"] for page in pages] == [None, "script-not-read", None]
    assert "Tamil (泰米尔文)" in pages[1]["failure"]["detail"]


def _english_with_tamil() -> Image.Image:
    english, tamil = render("english").image, script_page("tamil").image.crop((0, 0, 1000, 240))
    page = Image.new("RGB", (english.width, english.height + tamil.height), (250, 249, 245))
    page.paste(english, (0, 0))
    page.paste(tamil, (0, english.height))
    return page


def test_the_station_says_which_data_it_has(station: Station) -> None:
    models = read(station, script_page("korean").image)["engine"]["models"]
    assert "kor.traineddata" in models and any(name.startswith("PP-OCRv6") for name in models)
