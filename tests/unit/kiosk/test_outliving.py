"""A gateway that is killed loses nothing of the clerk's: the next one goes on with what it finds."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image
from starlette.testclient import TestClient

from runtime.kiosk import session_store
from runtime.kiosk.app import build_ui
from runtime.kiosk.camera import Shot
from runtime.kiosk.held import content
from runtime.kiosk.pages import Status
from runtime.kiosk.scanner import Scanned
from runtime.kiosk.session import Session
from runtime.media import server
from runtime.media.folder_sticks import FolderSticks
from runtime.media.server import MediaServer
from runtime.problems import PAGE_LOST, PAGE_SET_ASIDE
from tests.unit.kiosk.configured import configured
from tests.unit.kiosk.stub_reader import WORDS, StubReader
from tests.unit.kiosk.test_forgetting import MARKER, holding
from tests.unit.kiosk.test_interface import HERE, OWN, until


@pytest.fixture
def sticks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The helper's socket; it outlives the gateways."""
    monkeypatch.setattr(server, "LOOK_EVERY_S", 0.02)
    (tmp_path / "sticks/RED").mkdir(parents=True)
    for name in ("1.png", "2.png", "3.png"):
        (tmp_path / "sticks/RED" / name).write_bytes(png(int(name[0])))
    helper = MediaServer(tmp_path / "media.sock", FolderSticks(tmp_path / "sticks"))
    thread = threading.Thread(target=helper.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield tmp_path / "media.sock"
    helper.shutdown()
    thread.join()
    helper.server_close()


class HeldReader(StubReader):
    """Reads a page and, from the one after `pages` of them on, none to its end."""

    def __init__(self, pages: int = 1000) -> None:
        super().__init__()
        self.left = pages

    async def read(self, *arguments: Any, **named: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            self.step_s = 1e6
        return await super().read(*arguments, **named)


@contextmanager
def gateway(folder: Path, sticks: Path | None = None, pages: int = 1000) -> Iterator[TestClient]:
    flag = folder.with_name("forgotten")
    config = configured(media_socket=sticks, session_folder=folder, forgotten_flag=flag)
    with TestClient(build_ui(config, HeldReader(pages)), base_url=HERE, headers=OWN) as client:
        yield client


def killed(folder: Path) -> Path:
    """What a process that ends here and now leaves: its files as they are."""
    left = folder.with_name(f"{folder.name}-left")
    shutil.copytree(folder, left)
    return left


def png(number: int) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (60 + number, 80), "white").save(held, "PNG")
    return held.getvalue()


def session_of(client: TestClient) -> Session:
    return cast(Session, cast(Any, client.app).state.session)


def in_loop(client: TestClient, work: Callable[[], Any]) -> Any:
    assert client.portal is not None

    async def done() -> Any:
        return work()

    return client.portal.call(done)


def paste(client: TestClient, *numbers: int) -> None:
    for number in numbers:
        in_loop(client, partial(session_of(client).add, f"{number}.png", png(number), "paste"))


def statuses(client: TestClient) -> list[str]:
    return [page["status"] for page in client.get("/kiosk/pages").json()["pages"]]


def correct(client: TestClient, number: int, text: str) -> None:
    answer = client.post(f"/kiosk/pages/{number}/edit", json={"target": "line:0", "text": text})
    assert answer.status_code == 200, answer.text


def lines(client: TestClient, number: int) -> list[str]:
    return [line["text"] for line in client.get(f"/kiosk/pages/{number}").json()["lines"]]


def test_what_was_read_and_corrected_is_there_and_can_be_undone_and_redone(tmp_path: Path) -> None:
    with gateway(tmp_path / "a") as client:
        client.post("/kiosk/language", json={"language": "en"})
        client.put("/kiosk/exports", json={"formats": ["docx"], "per": "batch", "who": "Li"})
        paste(client, 1, 2)
        until(client, lambda state: state["screen"] == "review")
        correct(client, 0, "first")
        correct(client, 0, MARKER)
        correct(client, 1, "undone")
        client.post("/kiosk/review/undo")
        before = client.get("/kiosk/state").json()
        picture = client.get("/kiosk/pages/1/picture").content
        left = killed(tmp_path / "a")
    with gateway(left) as client:
        state = client.get("/kiosk/state").json()
        assert (state["screen"], state["notice"], state["language"]) == ("review", "notice.resumed", "en")
        assert (state["exports"]["formats"], state["exports"]["who"]) == (["docx"], "Li")
        assert state["reading"]["unsaved"] and state["reading"]["read"] == 2
        assert state["reading"]["revision"] > before["reading"]["revision"]
        assert state["review"]["revision"] > before["review"]["revision"]
        assert (state["review"]["undo"], state["review"]["redo"]) == (2, 1)
        assert (lines(client, 0)[0], lines(client, 1)[0]) == (MARKER, WORDS[0])
        assert picture and client.get("/kiosk/pages/1/picture").content == picture
        assert client.post("/kiosk/review/redo").json()["page"] == 1 and lines(client, 1)[0] == "undone"
        for _ in range(2):
            client.post("/kiosk/review/undo")
        assert lines(client, 0)[0] == "first"


def test_pages_that_waited_are_read_on_and_the_one_in_hand_is_read_again(tmp_path: Path, sticks: Path) -> None:
    with gateway(tmp_path / "a", sticks, pages=1) as client:
        state = until(client, lambda now: now["files"]["count"] == 3)
        client.post("/kiosk/read", json={"revision": state["files"]["revision"], "files": [0, 1, 2]})
        paste(client, 7)
        until(client, lambda now: now["reading"]["total"] == 4 and now["reading"]["read"] == 1)
        correct(client, 0, MARKER)
        assert statuses(client) == ["read", "reading", "waiting", "waiting"]
        left = killed(tmp_path / "a")
    with gateway(left, sticks) as client:
        state = client.get("/kiosk/state").json()
        assert (state["notice"], state["notice_count"]) == ("notice.resumed_reading", 3)
        until(client, lambda now: not now["reading"]["running"])
        assert statuses(client) == ["read"] * 4
        assert lines(client, 0)[0] == MARKER


def test_a_paused_queue_stays_paused_and_a_file_that_was_not_opened_is_opened(tmp_path: Path) -> None:
    sheets = [Image.new("RGB", (60, 80), "white") for _ in range(3)]
    pdf = io.BytesIO()
    sheets[0].save(pdf, "PDF", save_all=True, append_images=sheets[1:])
    with gateway(tmp_path / "a", pages=0) as client:
        paste(client, 1)
        client.post("/kiosk/read/pause", json={"paused": True})

        def add_and_die() -> Path:
            session_of(client).add("contract.pdf", pdf.getvalue(), "paste")
            return killed(tmp_path / "a")

        left = in_loop(client, add_and_die)
    with gateway(left) as client:
        state = until(client, lambda now: now["reading"]["total"] == 4)
        assert state["reading"]["paused"] and statuses(client)[1:] == ["waiting"] * 3
        client.post("/kiosk/read/pause", json={"paused": False})
        until(client, lambda now: now["reading"]["read"] == 4)


def test_bytes_are_held_once_in_files_that_are_this_users_alone(tmp_path: Path) -> None:
    with gateway(tmp_path / "a") as client:
        paste(client, 1)
        until(client, lambda state: state["screen"] == "review")
        (page,) = session_of(client).reading.pages  # type: ignore[union-attr]
        assert isinstance(page.document.data, Path) and isinstance(page.shown, Path)
        assert content(page.document.data) == png(1)
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_without_room_pages_are_held_in_memory_and_told_of_when_they_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_store, "_STAYS_FREE", 2.0)
    monkeypatch.setattr(session_store, "_STAYS_FREE_BYTES", 1 << 60)
    with gateway(tmp_path / "a", pages=1) as client:
        paste(client, 1, 2)
        until(client, lambda state: state["reading"]["read"] == 1)
        assert client.get("/kiosk/pages/0/picture").status_code == 200
        left = killed(tmp_path / "a")
    with gateway(left) as client:
        until(client, lambda state: not state["reading"]["running"])
        assert statuses(client) == ["read", "failed"]
        assert client.get("/kiosk/pages").json()["pages"][1]["code"] == PAGE_LOST.code
        assert lines(client, 0) == list(WORDS)


def test_scans_and_photographs_that_nobody_has_read_yet_are_there_too(tmp_path: Path) -> None:
    with gateway(tmp_path / "a") as client:
        app = cast(Any, client.app).state
        app.scanner.pages += [Scanned(png(1)), Scanned(png(2))]
        app.camera.shots.append(Shot(b"photograph", png(3), ((0, 0), (1, 0), (1, 1), (0, 1)), True))
        in_loop(client, app.session.changed)
        left = killed(tmp_path / "a")
    with gateway(left) as client:
        app = cast(Any, client.app).state
        assert [content(page.png) for page in app.scanner.pages] == [png(1), png(2)]
        (shot,) = app.camera.shots
        assert (content(shot.photograph), content(shot.page), shot.sharp) == (b"photograph", png(3), True)
        in_loop(client, app.scanner.read)
        until(client, lambda state: state["reading"]["read"] == 2)
        assert [content(page.document.data) for page in app.session.reading.pages] == [png(1), png(2)]
        assert client.post("/kiosk/forget").status_code == 204
        assert list((left / "files").iterdir()) == []


@pytest.mark.parametrize("again", [False, True], ids=["before a kill", "after one"])
def test_nothing_of_a_batch_that_is_forgotten_stays(tmp_path: Path, again: bool) -> None:
    with ExitStack() as stack:
        folder = tmp_path / "a"
        client = stack.enter_context(gateway(folder))
        paste(client, 1, 2)
        until(client, lambda state: state["screen"] == "review")
        correct(client, 0, MARKER)
        if again:
            folder = killed(folder)
            client = stack.enter_context(gateway(folder))
            assert lines(client, 0)[0] == MARKER
        assert holding(folder, MARKER) and holding(folder, WORDS[0]) and len(list((folder / "files").iterdir())) == 4
        assert not (tmp_path / "forgotten").exists()
        assert client.post("/kiosk/forget").status_code == 204
        assert (tmp_path / "forgotten").exists()
        assert holding(folder, MARKER) == [] and holding(folder, WORDS[0]) == []
        assert list((folder / "files").iterdir()) == []
        times = client.get("/kiosk/state").json()["forgetting"]["times"]
        with gateway(killed(folder)) as after:
            state = after.get("/kiosk/state").json()
            assert (state["reading"], state["notice"], state["forgetting"]["times"]) == (None, None, times)


@pytest.mark.parametrize(
    "how",
    [
        lambda folder: (folder / "session.db").write_bytes(b"not a database at all" * 500),
        lambda folder: change(folder, "UPDATE pages SET record='{'"),
        lambda folder: change(folder, "UPDATE pages SET recognised='{}'"),
        lambda folder: change(folder, "DELETE FROM documents"),
    ],
    ids=["database", "record", "result", "document"],
)
def test_what_is_damaged_is_told_and_the_station_starts_anew(tmp_path: Path, how: Callable[[Path], None]) -> None:
    with gateway(tmp_path / "a") as client:
        paste(client, 1)
        until(client, lambda state: state["screen"] == "review")
        left = killed(tmp_path / "a")
    how(left)
    for lost in ("notice.session_lost", None):
        with gateway(left) as client:
            state = client.get("/kiosk/state").json()
            assert (state["reading"], state["notice"]) == (None, lost)
    with gateway(left) as client:
        paste(client, 1)
        until(client, lambda state: state["reading"]["read"] == 1)


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "session.db")) as db, db:
        db.execute(statement)


def test_a_page_that_has_taken_three_processes_with_it_is_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with gateway(folder, pages=0) as client:
        paste(client, 1)
        until(client, lambda state: statuses(client) == ["reading"])
        folder = killed(folder)
    for _ in range(2):
        with gateway(folder, pages=0) as client:
            until(client, lambda state: statuses(client) == ["reading"])
            folder = killed(folder)
    with gateway(folder) as client:
        (page,) = client.get("/kiosk/pages").json()["pages"]
        assert (page["status"], page["code"]) == (Status.FAILED, PAGE_SET_ASIDE.code)


def test_a_state_that_ends_every_process_that_takes_it_up_is_given_up(tmp_path: Path) -> None:
    with gateway(tmp_path / "a") as client:
        paste(client, 1)
        until(client, lambda state: state["screen"] == "review")
        left = killed(tmp_path / "a")
    change(left, "INSERT OR REPLACE INTO facts VALUES ('starts', '3')")
    with gateway(left) as client:
        assert client.get("/kiosk/state").json()["notice"] == "notice.session_lost"


def test_what_was_covered_stays_covered(tmp_path: Path) -> None:
    with gateway(tmp_path / "a") as client:
        paste(client, 1)
        until(client, lambda state: state["screen"] == "review")
        forgetting = cast(Any, client.app).state.forgetting
        forgetting._covered = True
        in_loop(client, session_of(client).changed)
        left = killed(tmp_path / "a")
    with gateway(left) as client:
        assert client.get("/kiosk/state").json()["forgetting"]["stage"] == "covered"


def test_a_gateway_that_ends_in_order_leaves_its_queue_to_the_next(tmp_path: Path) -> None:
    with gateway(tmp_path / "a", pages=0) as client:
        paste(client, 1, 2)
        until(client, lambda state: statuses(client) == ["reading", "waiting"])
    with gateway(tmp_path / "a") as client:
        until(client, lambda state: statuses(client) == ["read", "read"])


def test_progress_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine tells of every line; only what changes is written."""
    written: list[tuple[list[str], int]] = []
    keep = session_store.SessionStore.keep

    def counted(self: Any, facts: Any, documents: Any, pages: Any, **named: Any) -> None:
        written.append((list(facts), len(pages)))
        keep(self, facts, documents, pages, **named)

    with gateway(tmp_path / "a", pages=0) as client:
        paste(client, *range(1, 6))
        until(client, lambda state: statuses(client)[0] == "reading")
        monkeypatch.setattr(session_store.SessionStore, "keep", counted)
        for _ in range(50):
            in_loop(client, session_of(client).changed)
        assert written == []
        client.post("/kiosk/language", json={"language": "en"})
        assert json.dumps(written) == '[[["session"], 0]]'
