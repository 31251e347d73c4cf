"""The helper and its client over a real socket, with folders for sticks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import stat
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.media import server
from runtime.media.client import MediaClient, Output
from runtime.media.failures import HELPER_DOWN, NOT_AVAILABLE
from runtime.media.folder_sticks import FolderSticks
from runtime.media.server import MediaServer
from runtime.media.wire import Saved, SaveProgress, Snapshot
from runtime.problems import BAD_REQUEST, STICK_GONE, STICK_READ_ONLY, Problem

OUTPUT = Output("扫描", ((".txt", "文字\n".encode()), (".json", b"{}" * 200_000)))


@pytest.fixture
def sticks(tmp_path: Path) -> Path:
    (tmp_path / "sticks/red").mkdir(parents=True)
    (tmp_path / "sticks/red/page.png").write_bytes(b"pixels")
    return tmp_path / "sticks"


@pytest.fixture
def socket_path(tmp_path: Path, sticks: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(server, "LOOK_EVERY_S", 0.02)
    path = tmp_path / "media.sock"
    running = MediaServer(path, FolderSticks(sticks))
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield path
    running.shutdown()
    thread.join()
    running.server_close()


def run(work: Callable[[MediaClient], Coroutine[Any, Any, None]], path: Path) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await work(MediaClient(path))

    asyncio.run(limited())


async def first(client: MediaClient, fits: Callable[[Snapshot], bool] = lambda now: bool(now.sticks)) -> Snapshot:
    async for snapshot in client.watch():
        if fits(snapshot):
            return snapshot
    raise AssertionError


def test_a_stick_is_listed_read_saved_to_ejected_and_used_again(socket_path: Path, sticks: Path) -> None:
    async def work(client: MediaClient) -> None:
        (stick,) = (await first(client)).sticks
        (entry,) = (await client.files(stick.id)).files
        assert await client.read(stick.id, entry.path, 100) == b"pixels"
        progress: list[SaveProgress] = []
        saved = await client.save(stick.id, [OUTPUT], progress.append)
        assert saved == Saved("Inkstick", ("扫描.txt", "扫描.json"))
        assert [step.stage for step in progress][:: len(progress) - 1] == ["write", "check"]
        assert (await first(client)).sticks[0].state == "ejected"
        with pytest.raises(Problem) as caught:
            await client.read(stick.id, entry.path, 100)
        assert caught.value.kind is STICK_GONE
        await client.use(stick.id)
        assert (await client.files(stick.id)).files == (entry,)

    run(work, socket_path)
    assert (sticks / "red/Inkstick/扫描.txt").read_text(encoding="utf-8") == "文字\n"


def test_pulling_a_stick_is_told_at_once_and_putting_it_back_makes_it_a_new_one(
    socket_path: Path, sticks: Path
) -> None:
    async def work(client: MediaClient) -> None:
        before = (await first(client)).sticks[0]
        shutil.move(sticks / "red", sticks.parent / "pulled")
        assert (await first(client, lambda now: not now.sticks)).sticks == ()
        with pytest.raises(Problem) as caught:
            await client.files(before.id)
        assert caught.value.kind is STICK_GONE
        shutil.move(sticks.parent / "pulled", sticks / "red")
        after = (await first(client)).sticks[0]
        assert after.uuid == before.uuid
        assert after.id != before.id

    run(work, socket_path)


def test_a_stick_that_vanishes_before_the_helper_looked_again_is_gone_not_broken(
    socket_path: Path, sticks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(client: MediaClient) -> None:
        (stick,) = (await first(client)).sticks
        monkeypatch.setattr(FolderSticks, "refresh", lambda _: None)
        shutil.rmtree(sticks / "red")
        for call in (
            client.files(stick.id),
            client.read(stick.id, "page.png", 9),
            client.save(stick.id, [OUTPUT], lambda _: None),
        ):
            with pytest.raises(Problem) as caught:
                await call
            assert caught.value.kind is STICK_GONE

    run(work, socket_path)


def test_a_write_protected_stick_says_so_whatever_is_sent(socket_path: Path, sticks: Path) -> None:
    (sticks / "locked").mkdir(mode=0o555)

    async def work(client: MediaClient) -> None:
        snapshot = await first(client, lambda now: len(now.sticks) == 2)
        locked = next(stick for stick in snapshot.sticks if stick.label == "locked")
        assert not locked.writable
        with pytest.raises(Problem) as caught:
            await client.save(locked.id, [OUTPUT] * 20, lambda _: None)
        assert caught.value.kind is STICK_READ_ONLY

    run(work, socket_path)


def test_folders_never_switch_the_machine_off(socket_path: Path) -> None:
    async def work(client: MediaClient) -> None:
        assert not (await first(client)).can_power_off
        for action, kind in (("poweroff", NOT_AVAILABLE), ("halt; reboot", BAD_REQUEST)):
            with pytest.raises(Problem) as caught:
                await client.power(action)
            assert caught.value.kind is kind

    run(work, socket_path)


def test_no_helper_is_a_problem_of_its_own(tmp_path: Path) -> None:
    async def work(client: MediaClient) -> None:
        with pytest.raises(Problem) as caught:
            await client.files("x")
        assert caught.value.kind is HELPER_DOWN

    run(work, tmp_path / "nobody")


@pytest.mark.parametrize(
    "request_line",
    [
        b"\n",
        b"[]\n",
        b'{"op": "format"}\n',
        b'{"op": "list"}\n',
        b'{"op": "read", "stick": "x", "path": "y", "limit_bytes": "z"}\n',
        b'{"op": "save", "stick": "x", "documents": [{"stem": "a", "parts": '
        b'[{"suffix": "/../x", "size_bytes": 1}]}]}\n',
        b'{"op": "save", "stick": "x", "documents": [{"stem": "a", "parts": '
        b'[{"suffix": ".txt", "size_bytes": -1}]}]}\n',
    ],
)
def test_a_malformed_request_is_answered_and_the_helper_goes_on(socket_path: Path, request_line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(socket_path))
        connection.sendall(request_line)
        answer = json.loads(connection.makefile("rb").readline())
    assert answer["code"] == "bad-request"
    run(lambda client: _still_answers(client), socket_path)


async def _still_answers(client: MediaClient) -> None:
    assert (await first(client)).sticks


def test_a_save_cut_short_leaves_no_half_document(socket_path: Path, sticks: Path) -> None:
    async def stick_id(client: MediaClient) -> None:
        found.append((await first(client)).sticks[0].id)

    found: list[str] = []
    run(stick_id, socket_path)
    parts = [{"suffix": ".txt", "size_bytes": 3}, {"suffix": ".json", "size_bytes": 3}]
    request = {"op": "save", "stick": found[0], "documents": [{"stem": "a", "parts": parts}]}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(socket_path))
        connection.sendall(json.dumps(request).encode() + b"\nabcde")
        connection.shutdown(socket.SHUT_WR)
        answers = connection.makefile("rb").read().splitlines()
    assert json.loads(answers[-1])["code"] == "bad-request"
    assert [path.name for path in (sticks / "red").iterdir()] == ["page.png"]


def test_only_the_socket_folders_group_may_ask(socket_path: Path) -> None:
    details = socket_path.stat()
    assert stat.S_IMODE(details.st_mode) == 0o660
    assert details.st_gid == socket_path.parent.stat().st_gid


def test_a_large_file_comes_from_the_disk_in_pieces_and_its_name_is_told_beforehand(
    socket_path: Path, sticks: Path, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * 40_000)
    (sticks / "red/Inkstick").mkdir()
    (sticks / "red/Inkstick/scan.PDF").write_bytes(b"old")

    async def work(client: MediaClient) -> None:
        (stick,) = (await first(client)).sticks
        outputs = [Output("scan", ((".pdf", large),)), Output("scan", ((".txt", b"t"), (".pdf", b"p")))]
        names = await client.names(stick.id, outputs)
        assert names == ("scan-2.pdf", "scan-3.txt", "scan-3.pdf")
        assert (await client.save(stick.id, outputs, lambda _: None)).names == names
        assert (sticks / "red/Inkstick/scan-2.pdf").read_bytes() == large.read_bytes()

    run(work, socket_path)


def test_a_save_that_is_given_up_leaves_nothing_on_the_stick(socket_path: Path, sticks: Path, tmp_path: Path) -> None:
    async def work(client: MediaClient) -> None:
        (stick,) = (await first(client)).sticks
        outputs = [Output("first", ((".txt", b"t"),)), Output("second", ((".txt", b"x" * 9_000_000),))]
        saving = asyncio.create_task(client.save(stick.id, outputs, lambda _: None))
        while not (sticks / "red/Inkstick/first.txt").exists() and not saving.done():
            await asyncio.sleep(0)
        saving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await saving
            return  # all of it was there before it could be given up
        for _ in range(600):
            if not (sticks / "red/Inkstick").exists():
                break
            await asyncio.sleep(0.1)
        assert not (sticks / "red/Inkstick").exists()
        assert (await client.save(stick.id, [OUTPUT], lambda _: None)).names

    run(work, socket_path)
