"""Both engines read what the tiny model knows, through `POST /ocr`, and agree token for token."""

from __future__ import annotations

import concurrent.futures
import io
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from PIL import Image

from runtime.tasks.prompts import prompt
from runtime.tasks.task import Ask, Task
from tests.engines.tiny import LOOP, Known, known
from tests.integration.station import Station


def read(station: Station, page: Known) -> dict[str, Any]:
    answer = station.http.post("/ocr", params=page.query, files={"file": ("page.png", page.png)})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def read_by_engine(station: Station, page: Known) -> dict[str, Any]:
    """Ask the engine itself: the gateway would ask it twice for fields."""
    (socket,) = station.milestones.parent.glob("*.sock")
    with Image.open(io.BytesIO(page.png)) as image:
        pixels = image.convert("RGB").tobytes()
        size = {"width": image.width, "height": image.height}
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://engine", timeout=300) as engine:
        answer = engine.post("/read", params={**size, "ask": page.ask.model_dump_json()}, content=pixels)
    result: dict[str, Any] = json.loads(answer.text.splitlines()[-1])["result"]
    assert result["generation"]["raw"] == page.answer, page
    return result


def streamed(station: Station, page: Known) -> list[dict[str, Any]]:
    query = page.query | {"stream": True}
    with station.http.stream("POST", "/ocr", params=query, files={"file": ("page.png", page.png)}) as answer:
        assert answer.status_code == 200
        return [json.loads(line) for line in answer.iter_lines()]


def of_task(task: Task) -> list[Known]:
    found = [page for page in known() if page.ask.task is task]
    assert found, f"the tiny model was taught nothing for {task}"
    return found


def spotted_of(page: Known) -> str:
    """What the model says of the same page's lines: the gateway has it read them before it asks for fields."""
    return next(each.answer for each in of_task(Task.SPOTTING) if each.page == page.page)


ONE_READING = [task for task in Task if task is not Task.FIELDS]


@pytest.mark.parametrize("task", ONE_READING)
def test_every_page_of_a_task_is_answered_as_taught(station: Station, task: Task) -> None:
    for page in of_task(task):
        result = read(station, page)
        assert result["generation"]["raw"] == page.answer, page.page
        assert result["task"] == task and result["warnings"] == []
        assert (result["width"], result["height"], result["rotation"]) == (256, 128, 0)


def test_every_slip_is_answered_with_its_fields_and_where_they_stand(station: Station) -> None:
    for page in of_task(Task.FIELDS):
        result = read(station, page)
        assert result["fields"] == json.loads(page.answer.strip("`").removeprefix("json"))
        assert result["generation"]["raw"] == spotted_of(page) and result["warnings"] == []
        assert all(field["box"] for field in result["form"]["fields"]), page.page


@pytest.mark.parametrize("task", ONE_READING)
def test_a_streamed_answer_comes_in_pieces_that_make_the_whole(station: Station, task: Task) -> None:
    page = of_task(task)[0]
    lines = streamed(station, page)
    pieces = [line["progress"]["text"] for line in lines[:-1]]
    assert "".join(pieces) == lines[-1]["result"]["generation"]["raw"] == page.answer


def test_both_engines_write_the_same_tokens(transformers: Station, vllm: Station) -> None:
    for page in known():
        one, other = (read_by_engine(station, page)["generation"] for station in (transformers, vllm))
        assert one["token_digest"] == other["token_digest"] and one["tokens"] == other["tokens"] > 0, page


def test_spotted_lines_have_their_places_in_pixels_and_the_models_certainty(station: Station) -> None:
    page = next(page for page in of_task(Task.SPOTTING) if "(2)" in page.answer)
    result = read(station, page)
    assert result["text"].splitlines() == ["FORM B12", "COPY (2)", "AND A", "PENCIL"]
    second = result["lines"][1]
    assert second["box"] == [[0.0, 32.0], [256.0, 32.0], [256.0, 64.0], [0.0, 64.0]]
    assert all(0.9 < line["score"] <= 1 for line in result["lines"])


def test_a_table_is_rows_of_cells(station: Station) -> None:
    result = read(station, of_task(Task.TABLE)[0])
    assert result["tables"] == [[["ITEM", "QTY"], ["BOLT", "38"], ["NUT", "500"], ["PIN", "7"]]]


def test_a_translation_comes_in_the_language_asked_for(station: Station) -> None:
    texts = {page.ask.to: read(station, page)["text"] for page in of_task(Task.TRANSLATE) if page.page == "sign-0"}
    assert texts == {"en": "EXIT", "zh": "出口"}


def test_an_answer_that_repeats_itself_is_cut_off_and_says_so(station: Station) -> None:
    result = read(station, LOOP)
    assert "repeating" in result["warnings"] and result["generation"]["finish"] == "repeating"
    if not station.pids("engine.vllm_main"):
        # vLLM writes ahead, and hands over at once what a busy machine was late to take.
        assert result["generation"]["tokens"] < 1000, "the guard must end it long before the limit"
    assert len(result["text"]) < 100
    assert "ocr_repeat_stop_total 1.0" in station.http.get("/metrics").text


def test_several_pages_sent_at_once_are_each_answered(station: Station) -> None:
    pages = [page for page in known() if page.ask.task in ONE_READING][:8]
    with concurrent.futures.ThreadPoolExecutor(len(pages)) as senders:
        raws = [result["generation"]["raw"] for result in senders.map(lambda page: read(station, page), pages)]
    assert raws == [page.answer for page in pages]


@pytest.mark.parametrize("size", [(1, 1), (33, 2000), (3000, 3)])
def test_odd_sizes_are_read_too(station: Station, size: tuple[int, int]) -> None:
    held = io.BytesIO()
    Image.new("L", size, 200).save(held, "PNG")
    answer = station.http.post("/ocr", params={"detail": "full"}, files={"file": ("page.png", held.getvalue())})
    assert answer.status_code == 200 and (answer.json()["width"], answer.json()["height"]) == size


def test_vllms_own_figures_are_passed_on(vllm: Station) -> None:
    text = vllm.http.get("/metrics").text
    assert "vllm:generation_tokens_total{" in text and "ocr_pages_total" in text


def test_nobody_is_ready_before_the_golden_page_was_read(station: Station) -> None:
    ready = station.http.get("/readyz").json()["engines"]
    log = (station.milestones.parent / "log").read_text()
    assert len(ready) == 1 and f"ready: name='{ready[0]}'" in log


def test_ones_own_words_reach_the_model(station: Station) -> None:
    """The tiny model knows no words but the official ones: it answers those of another task as it was taught."""
    page = of_task(Task.TABLE)[0]
    own = Ask(task=Task.TEXT, prompt=prompt(page.ask, "1.0", "zh"))
    assert read_by_engine(station, replace(page, ask=own))["task"] == Task.TEXT
