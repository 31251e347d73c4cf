"""A history that is pulled out at any moment is whole when it is back."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.vault.history import Batch, History, KeptPage


def page(text: str = "record", picture: bytes | None = b"jpeg") -> KeptPage:
    return KeptPage(uuid.uuid4().hex, text.encode(), picture)


def batch(*pages: KeptPage, at: float = 1.0, name: str = "合同.png") -> Batch:
    return Batch(uuid.uuid4().hex, at, (name,) * len(pages), tuple(each.id for each in pages))


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History()
    made.opened(tmp_path)
    return made


def reopened(folder: Path) -> History:
    again = History()
    again.opened(folder)
    return again


def test_what_was_kept_is_there_for_the_next_session(history: History, tmp_path: Path) -> None:
    first, second = page("one"), page("two", None)
    kept = batch(first, second)
    history.keep(kept, [first, second])
    assert history.waiting == 2
    assert history.write(tmp_path)
    assert history.waiting == 0
    assert not history.write(tmp_path)
    again = reopened(tmp_path)
    assert again.batches() == [kept]
    assert again.pages(kept.id) == [first, second]


def test_without_a_vault_nothing_is_kept_and_a_lock_forgets(tmp_path: Path) -> None:
    history = History()
    one = page()
    history.keep(batch(one), [one])
    assert (history.batches(), history.waiting) == ([], 0)
    history.opened(tmp_path)
    history.keep(batch(one), [one])
    history.closed()
    assert (history.batches(), history.waiting) == ([], 0)


def test_batches_are_found_by_name_newest_first(history: History) -> None:
    old, new = page(), page()
    history.keep(batch(old, at=1.0, name="Invoice 7.PDF"), [old])
    history.keep(batch(new, at=2.0, name="身份证.jpg"), [new])
    assert [each.at for each in history.batches()] == [2.0, 1.0]
    assert [each.at for each in history.batches("invoice")] == [1.0]
    assert [each.at for each in history.batches("身份")] == [2.0]


def test_a_vault_that_is_away_gets_the_rest_when_it_is_back(history: History, tmp_path: Path) -> None:
    vault, drawer = tmp_path / "vault", tmp_path / "drawer"
    vault.mkdir()
    history.opened(vault)
    one = page()
    kept = batch(one)
    history.keep(kept, [one])
    history.write(vault)
    vault.rename(drawer)
    changed = KeptPage(one.id, b"corrected meanwhile", b"jpeg")
    history.keep(kept, [changed])
    with pytest.raises(OSError, match="No such file"):
        history.opened(vault)
    assert history.waiting == 1
    assert history.pages(kept.id) == [changed], "it can be looked at meanwhile"
    drawer.rename(vault)
    history.opened(vault)
    history.write(vault)
    assert reopened(vault).pages(kept.id) == [changed]


class Pulled(OSError):
    pass


def test_pulled_out_at_any_write_it_opens_again_without_half_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before each fsync and each rename in turn, as if the stick went at that moment."""
    for stop_at in itertools.count():
        folder = tmp_path / str(stop_at)
        folder.mkdir()
        history = reopened(folder)
        old, new = page("old"), page("new")
        kept = batch(old)
        history.keep(kept, [old])
        history.write(folder)
        both = Batch(kept.id, kept.at, ("a", "b"), (old.id, new.id))
        corrected = KeptPage(old.id, b"corrected", b"jpeg 2")
        history.keep(both, [corrected, new])
        with monkeypatch.context() as patched:
            steps = _stop_after(patched, stop_at)
            with contextlib.suppress(Pulled):
                history.write(folder)
        again = reopened(folder)
        (found,) = again.batches()
        assert found in (kept, both)
        records = {each.record for each in again.pages(found.id)}
        assert records <= {b"old", b"corrected", b"new"}
        assert len(records) == len(found.pages), "every page that is named is there"
        history.write(folder)  # the stick is back
        assert reopened(folder).pages(kept.id) == [corrected, new]
        if steps() <= stop_at:
            return
        shutil.rmtree(folder)


def _stop_after(patched: pytest.MonkeyPatch, most: int) -> Callable[[], int]:
    done = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            nonlocal done
            done += 1
            if done > most:
                raise Pulled(5, "gone")
            return real(*arguments, **options)

        return step

    patched.setattr(os, "fsync", counted(os.fsync))
    patched.setattr(Path, "replace", counted(Path.replace))
    return lambda: done


def test_a_deleted_batch_is_gone_from_the_vault_and_does_not_come_back(history: History, tmp_path: Path) -> None:
    one, two = page(), page()
    first, second = batch(one), batch(two)
    history.keep(first, [one])
    history.keep(second, [two])
    history.write(tmp_path)
    history.delete(first.id)
    history.opened(tmp_path)  # it was away, and the deletion is still to be done
    assert history.batches() == [second]
    history.write(tmp_path)
    assert not (tmp_path / "history" / first.id).exists()
    assert reopened(tmp_path).batches() == [second]
    with pytest.raises(KeyError):
        history.delete(first.id)


def test_what_is_no_batch_is_passed_over(history: History, tmp_path: Path) -> None:
    for name in ("not-an-id", "a" * 32, "b" * 32):
        (tmp_path / "history" / name).mkdir()
    (tmp_path / "history" / ("b" * 32) / "batch.json").write_bytes(b'{"at": ')
    assert reopened(tmp_path).batches() == []
