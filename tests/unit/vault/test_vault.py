"""The vault over the helper's real socket, with real LUKS headers: made, locked, pulled, opened again."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from runtime.accuracy.records import Records, SelfTestRun
from runtime.alerts.book import AlertBook
from runtime.config import AuthConfig, StationConfig, TokenConfig
from runtime.evaluate.truths import Figures
from runtime.keys.first import FirstKeys
from runtime.keys.ledger import Ledger
from runtime.keys.ring import KeyRing
from runtime.kiosk.kept_forms import kept_forms
from runtime.kiosk.own_forms import FormsOfSession, OwnForm
from runtime.media import server
from runtime.media.client import MediaClient
from runtime.media.folder_sticks import FolderSticks
from runtime.media.folder_vaults import HIDDEN, FolderVaults
from runtime.media.server import MediaServer
from runtime.media.vault_wire import TOO_SOON, VAULT_GONE, WRONG_PASSPHRASE
from runtime.problems import Problem
from runtime.vault.client import VaultClient
from runtime.vault.keeping import kept_keys, kept_of
from runtime.vault.kept_document import KeptDocument
from runtime.vault.vault import Vault

PASSPHRASE = "lan-hai-yun-7431"


class Note:
    """Something small that is kept."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.kept = KeptDocument("note", lambda: self.text, lambda: self.text.encode(), self._take, self._clear)

    def _take(self, content: bytes) -> None:
        self.text = self.text or content.decode()

    def _clear(self) -> None:
        self.text = ""


@pytest.fixture
def sticks(tmp_path: Path) -> Path:
    (tmp_path / "sticks/red").mkdir(parents=True)
    return tmp_path / "sticks"


@pytest.fixture
def path(tmp_path: Path, sticks: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(server, "LOOK_EVERY_S", 0.02)
    running = MediaServer(tmp_path / "media.sock", FolderSticks(sticks), FolderVaults(sticks))
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield tmp_path / "media.sock"
    running.shutdown()
    thread.join()
    running.server_close()


def run(work: Callable[[Vault], Coroutine[Any, Any, None]], path: Path, *kept: KeptDocument) -> None:
    async def limited() -> None:
        vault = Vault(VaultClient(MediaClient(path)), lambda: None, kept)
        following = asyncio.create_task(vault.follow())
        try:
            async with asyncio.timeout(120):
                await until(lambda: vault.state != "absent")
                await work(vault)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    asyncio.run(limited())


async def until(fits: Callable[[], object]) -> None:
    while not fits():
        await asyncio.sleep(0.02)


async def made(vault: Vault) -> None:
    await until(lambda: vault.told()["places"])
    await vault.make(vault.told()["places"][0]["id"], PASSPHRASE, None)
    await until(lambda: vault.folder)


async def unlocked(vault: Vault) -> None:
    await until(lambda: vault.told()["vaults"])
    await vault.unlock(vault.told()["vaults"][0]["id"], PASSPHRASE)
    await until(lambda: vault.folder)


def test_what_is_kept_is_there_for_the_next_session_and_forgotten_by_a_lock(path: Path, sticks: Path) -> None:
    note = Note("first day")

    async def first(vault: Vault) -> None:
        assert vault.state == "none"
        await made(vault)
        await vault.lock()
        await until(lambda: vault.state == "locked")
        await until(lambda: note.text == "")

    run(first, path, note.kept)
    assert (sticks / "red" / HIDDEN / "content/note").read_text() == "first day"
    later = Note()

    async def second(vault: Vault) -> None:
        await unlocked(vault)
        await until(lambda: later.text == "first day")
        assert not vault.failing

    run(second, path, later.kept)


def opened() -> Iterator[os.stat_result]:
    """What this process has open."""
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            yield os.stat(f"/proc/self/fd/{number}")


def test_the_folder_is_reached_through_a_descriptor_that_a_lock_gives_up(path: Path) -> None:
    async def work(vault: Vault) -> None:
        await made(vault)
        folder = vault.folder
        assert folder is not None
        assert str(folder).startswith("/proc/self/fd/")
        (folder / "file").write_text("in the vault")
        held = folder.stat()
        assert any(os.path.samestat(held, each) for each in opened())
        await vault.lock()
        await until(lambda: vault.state == "locked")
        assert vault.folder is None
        assert not any(os.path.samestat(held, each) for each in opened())  # another may have its number by now

    run(work, path)


def test_a_vault_that_is_pulled_out_gets_what_it_missed_when_it_is_back(path: Path, sticks: Path) -> None:
    note = Note("before")

    async def work(vault: Vault) -> None:
        await made(vault)
        await until(lambda: (sticks / "red" / HIDDEN / "content/note").exists())
        (sticks / "red").rename(sticks.parent / "drawer")
        await until(lambda: vault.state == "gone")
        assert vault.folder is None
        note.text = "meanwhile"
        await vault.write()
        (sticks.parent / "drawer").rename(sticks / "red")
        await unlocked(vault)
        await until(lambda: (sticks / "red" / HIDDEN / "content/note").read_text() == "meanwhile")

    run(work, path, note.kept)


def test_wrong_passphrases_are_refused_and_then_slowed_down(path: Path) -> None:
    async def work(vault: Vault) -> None:
        await made(vault)
        await vault.lock()
        await until(lambda: vault.told()["vaults"])
        (which,) = vault.told()["vaults"]
        for _ in range(3):
            with pytest.raises(Problem) as refused:
                await vault.unlock(which["id"], "wrong")
            assert refused.value.kind is WRONG_PASSPHRASE
        with pytest.raises(Problem) as refused:
            await vault.unlock(which["id"], PASSPHRASE)
        assert refused.value.kind is TOO_SOON
        assert refused.value.extra["wait_s"]
        with pytest.raises(Problem) as refused:
            await vault.unlock("no such vault", PASSPHRASE)
        assert refused.value.kind is VAULT_GONE

    run(work, path)


def test_keys_of_an_earlier_day_are_good_again_and_revoked_ones_stay_revoked(tmp_path: Path) -> None:
    first, second = KeyRing(tmp_path / "first.json"), KeyRing(tmp_path / "second.json")
    _, good = first.make(("ocr",))
    record, bad = first.make(("admin",))
    first.revoke(record.id)
    _, unseen = first.make(("ocr",), seen=False)
    kept = first.dumped()
    _, own = second.make(("ocr",))
    _, fresh = second.make(("ocr",), seen=False)
    assert second.take_in(kept)
    assert second.scopes_of(good) == ("ocr",)
    assert second.scopes_of(own) == ("ocr",)
    assert [second.scopes_of(each) for each in (bad, unseen, fresh)] == [None, None, None]
    assert not KeyRing(tmp_path / "third.json").take_in(b"[]")


def test_first_keys_are_withdrawn_where_the_vault_has_others(tmp_path: Path) -> None:
    earlier = KeyRing(tmp_path / "earlier.json")
    _, good = earlier.make(("ocr",))
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "keys.json").write_bytes(earlier.dumped())
    path = tmp_path / "keys.json"
    fresh = FirstKeys(AuthConfig(required=True, keys=path))
    kept_keys(KeyRing(path), fresh).opened(vault)
    assert fresh.show() == []
    assert KeyRing(path).scopes_of(good) == ("ocr",)


def test_what_was_revoked_and_what_fired_is_kept_from_day_to_day(tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    books, ledgers = [], []
    for day in ("monday", "tuesday"):
        (tmp_path / day).mkdir()
        path = tmp_path / day / "keys.json"
        book, ledger = AlertBook([]), Ledger(path)
        tokens = TokenConfig(algorithm="EdDSA", public_key="unused here", issuer="registry")
        config = StationConfig.model_validate({**STATION, "auth": AuthConfig(required=True, keys=path, tokens=tokens)})
        kept = kept_of(config, Records(None), book, FirstKeys(config.auth))
        if day == "monday":
            ledger.revoke("a token", 900.0)
            book.take_in(json.dumps([FIRED]).encode())
        for each in kept:
            each.opened(vault)
            each.write(vault)
        assert not any(each.write(vault) for each in kept), "nothing is written twice"
        books.append(book)
        ledgers.append(ledger)
    assert ledgers[1].is_revoked("a token") and not ledgers[1].is_revoked("another")
    assert [alert.name for alert in books[1].over] == ["disk"]
    for each in kept:
        each.closed()
    assert books[1].over == [], "a lock hides what was there before"
    assert ledgers[1].is_revoked("a token"), "and makes no token good again"


STATION = {
    "profile": "test",
    "version": "0",
    "ui": {"host": "127.0.0.1", "port": 7860},
    "api": {"host": "127.0.0.1", "port": 8000},
    "engines": [],
}
FIRED = {
    "name": "disk",
    "severity": "warning",
    "signal": "disk",
    "value": 0.97,
    "text": {"zh": "满", "en": "full"},
    "since": 1000.0,
    "until": 1030.0,
}


def run_of(at: float) -> SelfTestRun:
    return SelfTestRun(
        trigger="request", version="1", started_at=at, finished_at=at + 1, outcome="passed", figures=Figures(pages=1)
    )


def test_records_are_joined_with_those_of_an_earlier_day() -> None:
    earlier, now = Records(None), Records(None)
    earlier.keep_selftest(run_of(1.0))
    now.keep_selftest(run_of(2.0))
    before = now.changes
    now.take_in(earlier.dumped())
    now.take_in(earlier.dumped())
    assert now.changes > before
    assert [each.started_at for each in now.selftests()] == [2.0, 1.0]
    now.clear()
    assert now.selftests() == []


def test_forms_of_an_earlier_day_join_those_of_today_and_go_with_a_lock(tmp_path: Path) -> None:
    earlier, today = FormsOfSession(), FormsOfSession()
    earlier.keep(OwnForm("收据", ("金额", "日期")))
    earlier.keep(OwnForm("summary", prompt="Say it in one line"))
    assert kept_forms(earlier).write(tmp_path)
    today.keep(OwnForm("summary", prompt="Another"))
    kept = kept_forms(today)
    kept.opened(tmp_path)
    assert {form.name: form.keys or form.prompt for form in today.forms()} == {
        "收据": ("金额", "日期"),
        "summary": "Another",
    }
    kept.closed()
    assert today.forms() == ()
