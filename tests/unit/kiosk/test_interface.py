"""The page's interface over HTTP, with a reader that only pretends and folders for sticks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from runtime.accuracy.keeping import keep_reviews
from runtime.accuracy.records import Records
from runtime.kiosk.app import build_ui
from runtime.kiosk.documents import Document
from runtime.media import server
from runtime.media.folder_sticks import FolderSticks
from runtime.media.server import MediaServer
from runtime.problems import ENGINE_UNAVAILABLE, QUEUE_FULL, Problem
from tests.unit.kiosk.configured import configured
from tests.unit.kiosk.stub_reader import StubReader

HERE = "http://127.0.0.1:7860"
OWN = {"Origin": HERE}


@pytest.fixture
def sticks(tmp_path: Path) -> Path:
    folder = tmp_path / "sticks"
    (folder / "RED").mkdir(parents=True)
    for name in ("1.png", "2.png"):
        (folder / "RED" / name).write_bytes(b"pixels")
    return folder


@pytest.fixture
def reader() -> StubReader:
    return StubReader()


@pytest.fixture
def painted() -> list[str]:
    return []


@pytest.fixture
def records() -> Records:
    return Records(None, keep_texts=True)


@pytest.fixture
def client(
    tmp_path: Path,
    sticks: Path,
    reader: StubReader,
    painted: list[str],
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[TestClient]:
    monkeypatch.setattr(server, "LOOK_EVERY_S", 0.02)
    socket = tmp_path / "media.sock"
    helper = MediaServer(socket, FolderSticks(sticks))
    thread = threading.Thread(target=helper.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    config = configured(media_socket=socket)
    pages = build_ui(
        config, reader, on_painted=lambda: painted.append("painted"), on_saved=keep_reviews(records, config)
    )
    with TestClient(pages, base_url=HERE, headers=OWN) as client:
        yield client
    helper.shutdown()
    thread.join()
    helper.server_close()


def until(client: TestClient, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        state: dict[str, Any] = client.get("/kiosk/state").json()
        if fits(state):
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.02)


def listed(client: TestClient) -> int:
    state = until(client, lambda now: now["screen"] == "list" and now["files"]["count"] is not None)
    revision: int = state["files"]["revision"]
    return revision


def read_all(client: TestClient) -> None:
    body = {"revision": listed(client), "files": [0, 1]}
    assert client.post("/kiosk/read", json=body).status_code == 204


def test_a_request_from_another_page_or_by_another_name_is_refused(client: TestClient) -> None:
    assert client.post("/kiosk/painted", headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post("/kiosk/painted", headers={"Origin": "null"}).status_code == 403
    assert client.get("/kiosk/state", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/", headers={"Host": "evil.example:7860"}).status_code == 421
    client.headers.pop("Origin")
    assert client.post("/kiosk/painted").status_code == 403


def test_every_answer_forbids_what_does_not_come_from_here(client: TestClient) -> None:
    for path in ("/", "/static/js/main.js", "/kiosk/state", "/nothing"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    assert "access-control-allow-origin" not in client.get("/").headers


def test_first_paint_is_reported_once(client: TestClient, painted: list[str]) -> None:
    for _ in range(3):
        client.post("/kiosk/painted")
    assert painted == ["painted"]


def test_the_first_picture_needs_no_script(client: TestClient) -> None:
    html = client.get("/").text
    assert "请插入 U 盘" in html
    assert "Insert a USB stick" in html


def test_a_list_that_is_out_of_date_starts_nothing(client: TestClient) -> None:
    revision = listed(client)
    for body, status in (
        ({"revision": revision - 1, "files": [0]}, 410),
        ({"revision": revision, "files": [9]}, 404),
        ({"revision": revision, "files": []}, 422),
        ({"revision": revision, "files": [-1]}, 422),
        ({"revision": revision, "files": [0], "path": "/etc/passwd"}, 422),
    ):
        answer = client.post("/kiosk/read", json=body)
        assert answer.status_code == status, body
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/kiosk/state").json()["screen"] == "list"


def test_pages_wait_for_an_engine_that_is_still_loading(client: TestClient, reader: StubReader) -> None:
    reader.state = "starting"
    reader.failures = [Problem(ENGINE_UNAVAILABLE), Problem(QUEUE_FULL)]
    read_all(client)
    state = until(client, lambda now: now["screen"] == "review")
    assert state["reading"]["read"] == 2


def test_a_page_that_brings_the_engine_down_fails_and_the_next_is_read(client: TestClient, reader: StubReader) -> None:
    reader.failures = [Problem(ENGINE_UNAVAILABLE)]
    read_all(client)
    state = until(client, lambda now: now["screen"] == "review")
    assert (state["reading"]["read"], state["reading"]["failed"]) == (1, 1)
    assert client.get("/kiosk/pages").json()["pages"][0]["code"] == "engine-unavailable"
    assert client.post("/kiosk/read/again", json={"pages": [0]}).status_code == 204
    state = until(client, lambda now: now["screen"] == "review" and now["reading"]["read"] == 2)
    assert state["reading"]["unsaved"]


def test_what_was_saved_is_no_longer_unsaved_until_it_is_corrected(client: TestClient) -> None:
    read_all(client)
    until(client, lambda now: now["screen"] == "review")
    client.post("/kiosk/save", json={})
    state = until(client, lambda now: now["screen"] == "saved")
    assert not state["reading"]["unsaved"]
    client.post("/kiosk/save/close")
    assert client.post("/kiosk/pages/0/edit", json={"target": "line:1", "text": "改"}).status_code == 200
    assert client.get("/kiosk/state").json()["reading"]["unsaved"]
    client.post("/kiosk/save", json={})  # the stick is ejected: it is used again by itself
    state = until(client, lambda now: now["screen"] == "saved")
    assert state["saving"]["names"] == ["1-2.txt", "1-2.json", "2-2.txt", "2-2.json"]


def test_what_people_corrected_is_counted_once_it_is_saved(client: TestClient, records: Records) -> None:
    read_all(client)
    until(client, lambda now: now["screen"] == "review")
    client.post("/kiosk/pages/0/edit", json={"target": "line:1", "text": "改"})
    assert records.accuracy() == []
    for _ in range(2):
        client.post("/kiosk/save", json={})
        until(client, lambda now: now["screen"] == "saved")
        client.post("/kiosk/save/close")
    until(client, lambda _: bool(records.accuracy()))
    (found,) = records.accuracy()
    assert (found.pages, found.pages_corrected, found.lines_corrected) == (2, 1, 1)
    assert found.edits > 0 and found.sign_accuracy < 1
    assert [each.corrected for each in records.corrections()] == ["改"]


def test_power_off_is_refused_where_this_is_not_a_station(client: TestClient) -> None:
    listed(client)
    answer = client.post("/kiosk/power", json={"action": "poweroff"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-available")
    assert client.get("/kiosk/state").json()["screen"] == "list"


def test_an_image_that_has_no_thumbnail_is_answered_without_an_error(client: TestClient) -> None:
    assert client.get(f"/kiosk/files/{listed(client)}/0/thumbnail").status_code == 204


def test_what_comes_in_the_background_leaves_the_clerk_where_she_is(client: TestClient, reader: StubReader) -> None:
    read_all(client)
    until(client, lambda state: state["screen"] == "review")
    reader.step_s = 30.0
    session = client.app.state.session  # type: ignore[attr-defined]
    assert client.portal is not None
    arrived = Document("3.png", "upload", data=b"pixels")
    client.portal.call(partial(session.intake.take, [arrived], in_background=True))
    state = client.get("/kiosk/state").json()
    assert state["reading"]["running"] and state["screen"] == "review"
    client.post("/kiosk/look", json={"at": "queue"})
    assert client.get("/kiosk/state").json()["screen"] == "reading"
    client.post("/kiosk/read/stop")
