"""A batch is forgotten at a person's word, and by itself only if it was saved."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from runtime.accuracy.keeping import forget_texts, keep_reviews
from runtime.accuracy.records import Records
from runtime.config import ForgettingConfig
from runtime.gateway.recognition import Recognised
from runtime.kiosk.app import build_ui
from runtime.kiosk.camera import Shot
from runtime.kiosk.documents import Document
from runtime.kiosk.edits import Edits
from runtime.kiosk.pages import Page
from runtime.kiosk.parts import Part
from runtime.kiosk.reading import Reading
from runtime.kiosk.scanner import Scanned
from runtime.media import server
from runtime.media.folder_sticks import FolderSticks
from runtime.media.folder_vaults import FolderVaults
from runtime.media.server import MediaServer
from runtime.pinyin.candidates import candidates
from runtime.pinyin.dictionary import dictionary
from runtime.pinyin.syllables import partings
from tests.unit.kiosk.configured import configured
from tests.unit.kiosk.stub_reader import WORDS, StubReader
from tests.unit.kiosk.test_interface import HERE, OWN, read_all, until

MARKER = "Zanzibar quokka 90210"


@contextmanager
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgetting: ForgettingConfig) -> Iterator[TestClient]:
    """With records in files, as on a station that wants keys."""
    monkeypatch.setattr(server, "LOOK_EVERY_S", 0.02)
    (tmp_path / "sticks/RED").mkdir(parents=True)
    for name in ("1.png", "2.png"):
        (tmp_path / "sticks/RED" / name).write_bytes(b"pixels")
    socket = tmp_path / "media.sock"
    helper = MediaServer(socket, FolderSticks(tmp_path / "sticks"), FolderVaults(tmp_path / "sticks"))
    thread = threading.Thread(target=helper.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    config = configured(media_socket=socket, forgetting=forgetting)
    records = Records(tmp_path / "kept", keep_texts=True)
    pages = build_ui(config, StubReader(), on_saved=keep_reviews(records, config), on_forgotten=forget_texts(records))
    try:
        with TestClient(pages, base_url=HERE, headers=OWN) as client:
            yield client
    finally:
        helper.shutdown()
        thread.join()
        helper.server_close()
        records.close()


def holding(folder: Path, words: str) -> list[str]:
    """Files below `folder` with these words, as UTF-8 or UTF-16."""
    forms = (words.encode(), words.encode("utf-16-le"))
    return [
        path.name for path in folder.rglob("*") if path.is_file() and any(form in path.read_bytes() for form in forms)
    ]


def read_and_correct(client: TestClient) -> None:
    read_all(client)
    until(client, lambda state: state["screen"] == "review")
    answer = client.post("/kiosk/pages/0/edit", json={"target": "line:0", "text": MARKER})
    assert answer.status_code < 300, answer.text


def save(client: TestClient) -> None:
    assert client.post("/kiosk/save", json={}).status_code == 204
    until(client, lambda state: state["screen"] == "saved")
    assert client.post("/kiosk/save/close").status_code == 204


def eventually(fits: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not fits():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def stage(client: TestClient) -> str:
    state: dict[str, Any] = client.get("/kiosk/state").json()
    told: str = state["forgetting"]["stage"]
    return told


def pages_in_memory() -> set[int]:
    """By identity: FastAPI's caches keep the stations of other tests, and their pages."""
    gc.collect()
    return {id(each) for each in gc.get_objects() if type(each) in (Page, Reading, Edits, Document, Recognised)}


def test_nothing_of_a_forgotten_batch_is_left_in_state_or_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pages_in_memory()
    with station(tmp_path, monkeypatch, ForgettingConfig()) as client:
        read_and_correct(client)
        save(client)
        kept = tmp_path / "kept"
        eventually(lambda: bool(holding(kept, MARKER)))  # else there would be nothing to forget
        answer = client.post("/kiosk/forget")
        assert answer.status_code == 204 and "cache" in answer.headers["clear-site-data"]
        assert holding(kept, MARKER) == [] and holding(kept, WORDS[0]) == []
        assert client.get("/kiosk/pages").json()["pages"] == []
        assert client.get("/kiosk/pages/0").status_code == 404
        assert client.get("/kiosk/pages/0/picture").status_code == 404
        state = client.get("/kiosk/state").json()
        assert MARKER not in client.get("/kiosk/state").text and WORDS[0] not in client.get("/kiosk/state").text
        assert state["screen"] in ("list", "insert") and state["forgetting"]["times"] == 1
        assert client.app.state.thumbnails._kept == {}  # type: ignore[attr-defined]
        assert pages_in_memory() - before == set()
        assert holding(tmp_path / "sticks", MARKER) != []  # what was saved stays where it was saved


def test_what_is_being_read_is_given_up_when_it_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with station(tmp_path, monkeypatch, ForgettingConfig()) as client:
        client.app.state.session.reader.step_s = 0.5  # type: ignore[attr-defined]
        read_all(client)
        assert client.post("/kiosk/forget").status_code == 204
        assert client.get("/kiosk/state").json()["reading"] is None


def test_a_saved_batch_is_forgotten_after_a_countdown_that_a_touch_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with station(tmp_path, monkeypatch, ForgettingConfig(idle_s=6, warn_s=5)) as client:
        read_and_correct(client)
        save(client)
        eventually(lambda: stage(client) == "warning")
        assert 0 < client.get("/kiosk/state").json()["forgetting"]["left_s"] <= 5
        client.post("/kiosk/awake")
        assert stage(client) == "awake"
        assert len(client.get("/kiosk/pages").json()["pages"]) == 2
        eventually(lambda: stage(client) == "warning")
        eventually(lambda: stage(client) == "nothing")
        state = until(client, lambda now: now["notice"] == "notice.forgotten")
        assert state["reading"] is None
        assert holding(tmp_path / "kept", MARKER) == []


def test_an_unsaved_batch_is_covered_and_never_forgotten_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with station(tmp_path, monkeypatch, ForgettingConfig(idle_s=2, warn_s=1)) as client:
        read_and_correct(client)
        eventually(lambda: stage(client) == "covered")
        time.sleep(3)
        client.post("/kiosk/awake")  # a passer-by's touch does not uncover it
        assert stage(client) == "covered"
        assert len(client.get("/kiosk/pages").json()["pages"]) == 2
        client.post("/kiosk/uncover")
        assert stage(client) == "awake"
        assert client.get("/kiosk/pages/0").json()["name"] == "1.png"


def test_without_a_timer_nothing_is_covered_or_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with station(tmp_path, monkeypatch, ForgettingConfig(idle_s=None)) as client:
        read_and_correct(client)
        save(client)
        time.sleep(1.5)
        assert stage(client) == "awake"
        assert client.get("/kiosk/state").json()["forgetting"]["left_s"] is None


def make_vault(client: TestClient, sticks: Path) -> None:
    (sticks / "SAFE").mkdir()
    there = until(client, lambda state: any(each["label"] == "SAFE" for each in state["vault"]["places"]))
    (place,) = (each["id"] for each in there["vault"]["places"] if each["label"] == "SAFE")
    answer = client.post("/kiosk/vault/make", json={"place": place, "passphrase": "lan-hai-yun-7431"})
    assert answer.status_code == 200, answer.text
    until(client, lambda state: state["vault"]["state"] == "open")


def own_clock(client: TestClient) -> list[float]:
    """Time goes on for the timer as the test says, and the page was touched at 0."""
    now = [0.0]
    client.app.state.forgetting._clock = lambda: now[0]  # type: ignore[attr-defined]
    client.post("/kiosk/awake")
    return now


def test_an_open_vault_is_locked_when_nobody_is_there_and_stays_open_while_somebody_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with station(tmp_path, monkeypatch, ForgettingConfig(idle_s=900, warn_s=60)) as client:
        now = own_clock(client)
        make_vault(client, tmp_path / "sticks")
        now[0] = 800
        assert client.get("/kiosk/state").json()["forgetting"]["watches"]
        client.post("/kiosk/awake")
        now[0] = 1600
        time.sleep(1.5)  # it looks twice a second
        assert client.get("/kiosk/state").json()["vault"]["state"] == "open"
        now[0] = 1701
        state = until(client, lambda told: told["vault"]["state"] == "locked")
        assert not state["forgetting"]["watches"]
        until(client, lambda told: told["notice"] == "notice.vault_locked")


def test_a_page_that_is_covered_is_in_the_vault_before_that_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with station(tmp_path, monkeypatch, ForgettingConfig(idle_s=900, warn_s=60)) as client:
        now = own_clock(client)
        read_and_correct(client)
        make_vault(client, tmp_path / "sticks")
        now[0] = 901
        until(client, lambda told: told["vault"]["state"] == "locked")
        assert stage(client) == "covered"
        assert holding(tmp_path / "sticks/SAFE", MARKER) != []
        eventually(lambda: client.get("/kiosk/vault/history").json()["batches"] == [])
        client.post("/kiosk/uncover")
        assert len(client.get("/kiosk/pages").json()["pages"]) == 2


def test_every_place_that_holds_something_of_the_pages_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with station(tmp_path, monkeypatch, ForgettingConfig()) as client:
        app: Any = client.app
        session, camera, scanner = app.state.session, app.state.camera, app.state.scanner
        read_and_correct(client)
        files = client.get("/kiosk/files").json()
        client.post(f"/kiosk/files/{files['revision']}/0/open", json={"password": "open sesame"})
        client.get("/kiosk/pages/0/thumbnail")
        camera.shots.append(Shot(b"photograph", b"page", None, True))
        scanner.pages.append(Scanned(b"png"))
        scanner.preview = Scanned(b"png")
        (stick,) = client.get("/kiosk/state").json()["sticks"]
        client.post("/kiosk/watch", json={"stick": stick["id"], "folder": "", "save": True})
        typed = "shenmimingzi"
        assert client.get("/kiosk/pinyin", params={"q": typed}).json()["candidates"]
        state = client.get("/kiosk/state").json()
        assert session.peeked._last is not None and app.state.thumbnails._kept
        assert state["watch"] is not None and state["forgetting"]["pages"] == 4
        assert candidates.cache_info().currsize and partings.cache_info().currsize

        assert client.post("/kiosk/forget").status_code == 204

        state = client.get("/kiosk/state").json()
        assert (session.peeked._last, session.peeked._passwords) == (None, {})
        assert app.state.thumbnails._kept == {}
        assert (camera.shots, scanner.pages, scanner.preview) == ([], [], None)
        assert (state["reading"], state["watch"], state["forgetting"]["pages"]) == (None, None, 0)
        assert [each.cache_info().currsize for each in (candidates, partings, dictionary().words)] == [0, 0, 0]


def test_a_part_that_is_plugged_in_later_is_asked_to_let_go_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Held(Part):
        name = "held"
        asked = 0

        async def let_go(self) -> None:
            self.asked += 1

    with station(tmp_path, monkeypatch, ForgettingConfig()) as client:
        held = Held()
        client.app.state.session.plug(held)  # type: ignore[attr-defined]
        assert client.post("/kiosk/forget").status_code == 204
        assert held.asked == 1
