"""The shapes in which `POST /ocr` and its neighbours answer, one for each kind of client."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.gateway.chat import want_of
from runtime.results import EngineInfo, Line, PageResult, Quad
from runtime.tasks.task import Task
from tests.unit.runtime import stub_engine
from tests.unit.runtime.stub_engine import StubEngine
from tests.unit.runtime.test_api import assert_problem, run, upload
from tests.unit.runtime.test_reader import png

NUMBER = "11010519491231002X"
CARD = ["姓名 张三", "性别 女  民族 汉", "出生 1949年12月31日", "住址 江州市南湖区", f"公民身份号码 {NUMBER}"]
FULL = {"accept": "application/vnd.inkstick+json"}


def page_of(texts: list[str], **more: Any) -> PageResult:
    def line(place: int, text: str) -> Line:
        top = 100.0 * place
        box: Quad = ((100, top), (900, top), (900, top + 40), (100, top + 40))
        return Line(text=text, box=box, score=0.9)

    lines = tuple(line(place, text) for place, text in enumerate(texts))
    info = EngineInfo(name="stub", version="1")
    page = PageResult(text="\n".join(texts), lines=lines, width=1000, height=500, rotation=0, engine=info, elapsed_s=0)
    return page.model_copy(update=more)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stub_engine, "RESULT", page_of(CARD))


def data_url() -> str:
    return "data:image/png;base64," + base64.b64encode(png()).decode()


def chat(prompt: str, url: str | None = None, **more: Any) -> dict[str, Any]:
    parts = [{"type": "image_url", "image_url": {"url": url or data_url()}}, {"type": "text", "text": prompt}]
    return {"model": "any", "temperature": 0, "messages": [{"role": "user", "content": parts}], **more}


@pytest.mark.usefixtures("card")
def test_a_card_is_answered_as_flat_fields_to_a_bare_call(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr", files={"file": ("image.jpg", png(), "image/jpeg")})
        assert answer.json() == {
            "姓名": "张三",
            "性别": "女",
            "民族": "汉",
            "出生": "1949年12月31日",
            "住址": "江州市南湖区",
            "公民身份号码": NUMBER,
        }
        assert (await client.post("/ocr?task=text", files=upload(png()))).json() == {"text": "\n".join(CARD)}

    run(tmp_path, trial, StubEngine())


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("asked", ["header", "query"])
def test_the_full_answer_gives_every_field_its_evidence(tmp_path: Path, asked: str) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        headers, query = (FULL, "") if asked == "header" else ({}, "?detail=full")
        answer = await client.post(f"/ocr{query}", files=upload(png()), headers=headers)
        assert answer.headers["content-type"] == (FULL["accept"] if asked == "header" else "application/json")
        page = answer.json()
        assert page["form"]["form"] == "identity-card" and page["fields"]["姓名"] == "张三"
        assert page["lines"][0]["box_1000"] == [100, 0, 900, 80]
        assert (page["finish_reason"], page["truncated"], page["repaired"]) == ("complete", False, False)
        number = page["form"]["fields"][-1]
        assert number["value"] == NUMBER and number["checks"][0]["state"] == "pass"
        left, top, right, bottom = number["box_1000"]
        assert 100 <= left < right <= 900 and (top, bottom) == (800, 880)
        agreed = {verdict["check"]: verdict["state"] for verdict in page["form"]["agreements"]}
        assert agreed == {"birth-in-number": "pass", "sex-in-number": "pass"}

    run(tmp_path, trial, StubEngine())


@pytest.mark.usefixtures("card")
def test_keys_are_answered_each_found_or_not(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        wanted = {"姓名": "张三", "电话": ""}
        for query in ("keys=姓名&keys=电话", "keys=姓名,电话", "task=fields&keys=姓名,电话"):
            assert (await client.post(f"/ocr?{query}", files=upload(png()))).json() == wanted

    run(tmp_path, trial, StubEngine())


@pytest.mark.usefixtures("card")
def test_a_form_can_be_named_and_an_unknown_one_is_refused_with_those_known(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr?form=identity-card", files=upload(png()))
        assert answer.json()["姓名"] == "张三"
        refused = await client.post("/ocr?form=library-card", files=upload(png()))
        assert_problem(refused, 422, "unknown-form")
        assert "identity-card" in refused.json()["detail"]
        assert_problem(await client.post("/ocr?task=text&keys=a", files=upload(png())), 422, "bad-request")

    run(tmp_path, trial, StubEngine())


def test_fields_of_a_page_that_is_no_form_are_refused(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        assert_problem(await client.post("/ocr?task=fields", files=upload(png())), 422, "no-form")

    run(tmp_path, trial, StubEngine())


def test_an_engine_that_reads_fields_is_asked_and_held_against_the_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"姓名": "张三", "公民身份号码": "110105194912310021", "民族": "藏"}
    monkeypatch.setattr(stub_engine, "RESULT", page_of(CARD, fields=said))
    engine = StubEngine(tasks=("text", "spotting", "fields"))

    async def trial(client: httpx.AsyncClient) -> None:
        page = (await client.post("/ocr?detail=full", files=upload(png()))).json()
        fields = {field["key"]: field for field in page["form"]["fields"]}
        assert fields["姓名"]["box"] is not None and fields["姓名"]["score"] == 0.9
        assert fields["民族"]["box"] is None and fields["民族"]["score"] == 0
        assert fields["公民身份号码"]["checks"][0]["state"] == "fail"
        assert "住址" in page["form"]["missing"]

    run(tmp_path, trial, engine)
    assert ['"task":"spotting"' in asked for asked in engine.asked] == [True, False]


@pytest.mark.usefixtures("card")
def test_liteparse_clients_get_lines_with_upright_boxes(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr", files=upload(png()), data={"language": "zh"})
        results = answer.json()["results"]
        assert results[0] == {"text": "姓名 张三", "bbox": [100, 0, 900, 40], "confidence": 0.9}
        assert len(results) == len(CARD)

    run(tmp_path, trial, StubEngine())


@pytest.mark.usefixtures("card")
def test_openais_clients_get_the_text_or_the_fields_they_list(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = (await client.post("/v1/chat/completions", json=chat("Read this."))).json()
        assert answer["object"] == "chat.completion" and answer["choices"][0]["finish_reason"] == "stop"
        assert answer["choices"][0]["message"] == {"role": "assistant", "content": "\n".join(CARD)}
        wanted = "提取图片中的: ['姓名', '电话'] 的字段内容，并按照 JSON 格式返回。"
        answer = (await client.post("/v1/chat/completions", json=chat(wanted))).json()
        assert json.loads(answer["choices"][0]["message"]["content"]) == {"姓名": "张三", "电话": ""}
        assert (await client.get("/v1/models")).json()["data"][0]["id"] == "inkstick"

    run(tmp_path, trial, StubEngine())


def test_openais_streams_end_as_their_readers_expect(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/chat/completions", json=chat("Read this.", stream=True))
        events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
        assert events[-1] == "[DONE]"
        pieces = [json.loads(event)["choices"][0] for event in events[:-1]]
        assert "".join(piece["delta"].get("content", "") for piece in pieces) == "read"
        assert pieces[-1]["finish_reason"] == "stop"

    run(tmp_path, trial, StubEngine())


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (chat("x", "https://elsewhere.example/a.png"), 422, "bad-request"),
        (chat("x", "data:image/png;base64,%%%"), 422, "bad-request"),
        (chat("x", "data:image/png;base64,AAAA"), 415, "not-an-image"),
        ({"messages": [{"role": "user", "content": "no image"}]}, 400, "missing-file"),
    ],
)
def test_openais_clients_get_errors_in_their_shape(
    tmp_path: Path, body: dict[str, Any], status: int, code: str
) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/chat/completions", json=body)
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == code and answer.json()["error"]["message"]

    run(tmp_path, trial, StubEngine())


def test_a_prompt_chooses_its_task() -> None:
    assert want_of("提取图中的文字。").task is Task.TEXT
    assert want_of("把图中的表格解析为 HTML。").task is Task.TABLE
    assert want_of("What does it say?").task is Task.TEXT
    assert want_of("give ['a', \"b\"]").keys == ("a", "b")
    assert want_of("give [1, 2] and ['a', open('x')]").keys == ()


def test_a_streamed_answer_ends_with_the_fields(tmp_path: Path, card: None) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr?stream=true", files=upload(png()))
        last = json.loads(answer.text.splitlines()[-1])
        assert last["result"]["fields"]["姓名"] == "张三"

    run(tmp_path, trial, StubEngine())


def test_the_auto_task_waits_for_an_engine_that_is_still_starting(tmp_path: Path) -> None:
    engine = StubEngine(state="loading")

    async def trial(client: httpx.AsyncClient) -> None:
        asking = asyncio.create_task(client.post("/ocr", files=upload(png())))
        await asyncio.sleep(0)
        engine.state = "ready"
        assert (await asking).json() == {"text": "read"}

    async def when_loading(client: httpx.AsyncClient) -> None:
        async with engine.listening(tmp_path / "engine.sock"):
            await trial(client)

    run(tmp_path, when_loading)
