"""The jobs' database: what it accepts survives, what is finished is not repeated, callers get their share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.jobs.records import Claim, Order, PageFailure
from runtime.jobs.store import JobStore, KeyReused, NewPage

KEEP_S = 100.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[JobStore]:
    held = JobStore(tmp_path / "jobs.sqlite3", clock)
    yield held
    held.close()


def accept(store: JobStore, pages: int = 2, caller: str = "a", key: str | None = None, digest: str = "d") -> str:
    sheets = [NewPage(place, place + 1) for place in range(pages)]
    return store.accept(caller, Order(), [("doc.pdf", b"bytes", sheets)], digest=digest, idempotency_key=key)[0]


def claim(store: JobStore) -> Claim:
    claimed = store.claim()
    assert claimed is not None
    return claimed


def finish(store: JobStore, claimed: Claim, result: str = "{}") -> None:
    store.finish_page(claimed.job, claimed.number, result=result, elapsed_s=2.0)


def test_pages_are_handed_out_in_order_and_the_job_ends_with_the_last(store: JobStore) -> None:
    job = accept(store)
    first = claim(store)
    assert (first.number, first.page, first.data, first.attempt) == (1, 0, b"bytes", 1)
    finish(store, first, '{"n":1}')
    status = store.status(job, KEEP_S)
    assert status is not None
    assert (status.state, status.pages, status.pages_done, status.seconds_left) == ("running", 2, 1, 2.0)
    finish(store, claim(store), '{"n":2}')
    assert store.claim() is None
    status = store.status(job, KEEP_S)
    assert status is not None and (status.state, status.expires_at) == ("done", 1000.0 + KEEP_S)
    assert [outcome.result for outcome in store.outcomes(job)] == ['{"n":1}', '{"n":2}']


def test_what_was_being_read_when_the_process_died_is_read_again_and_finished_pages_are_not(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    before = JobStore(path)
    job = accept(before, pages=3)
    finish(before, claim(before), "kept")
    claim(before)
    after = JobStore(path)  # the first is never closed: its process is as good as dead
    again = [claim(after), claim(after)]
    assert [each.number for each in again] == [2, 3] and again[0].attempt == 2
    assert after.claim() is None
    assert after.outcomes(job)[0].result == "kept"
    after.close()
    before.close()


def test_a_page_that_was_being_read_at_three_deaths_is_set_aside_and_the_job_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    store = JobStore(path)
    job = accept(store, pages=2)
    for _ in range(3):
        assert claim(store).number == 1
        store.close()
        store = JobStore(path)
    assert claim(store).number == 2
    failure = store.outcomes(job)[0].failure
    assert failure is not None and failure.code == "page-set-aside"
    store.close()


def test_an_accepted_job_survives_kill_9(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from runtime.jobs.store import JobStore, NewPage; from runtime.jobs.records import Order\n"
        "store = JobStore(Path(sys.argv[1]))\n"
        "job, _ = store.accept('a', Order(), [('f', b'x' * 100000, [NewPage(0, 1)])], digest='d')\n"
        "print(job, flush=True); input()"
    )
    path = tmp_path / "jobs.sqlite3"
    words = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        job = process.stdout.readline().strip()
        os.kill(process.pid, signal.SIGKILL)
    store = JobStore(path)
    assert claim(store).job == job
    store.close()


def test_the_same_key_and_request_is_the_same_job_and_another_request_is_refused(store: JobStore) -> None:
    job = accept(store, key="k")
    assert accept(store, key="k") == job
    assert accept(store, key="k", caller="b") != job
    assert accept(store) != accept(store)
    with pytest.raises(KeyReused):
        accept(store, key="k", digest="other")


def test_a_small_job_is_not_stuck_behind_a_large_one(store: JobStore, clock: Clock) -> None:
    large = accept(store, pages=50)
    for _ in range(10):
        finish(store, claim(store))
    clock.now += 1
    small = accept(store, pages=1, caller="b")
    assert claim(store).job == small
    assert claim(store).job == large


def test_a_caller_with_many_jobs_gets_no_more_than_its_share(store: JobStore) -> None:
    for _ in range(5):
        accept(store, pages=4, caller="many")
    other = accept(store, pages=4, caller="one")
    served = []
    for _ in range(8):
        claimed = claim(store)
        served.append(claimed.job)
        finish(store, claimed)
    assert served.count(other) == 4


def test_a_cancelled_job_hands_out_no_page_and_keeps_those_read(store: JobStore) -> None:
    job = accept(store, pages=3)
    finish(store, claim(store))
    running = claim(store)
    store.cancel(job)
    assert store.claim() is None
    finish(store, running)
    status = store.status(job, KEEP_S)
    assert status is not None and (status.state, status.pages_done) == ("cancelled", 1)
    assert store.sheet(job, 1) is None


def test_a_page_put_back_counts_no_attempt(store: JobStore) -> None:
    accept(store, pages=1)
    for _ in range(10):
        claimed = claim(store)
        assert claimed.attempt == 1
        store.put_back(claimed.job, claimed.number)


def test_failures_are_kept_with_their_reason_and_a_job_of_nothing_else_failed(store: JobStore) -> None:
    failure = PageFailure(code="damaged-document", detail="Pack it again.")
    job, _ = store.accept("a", Order(), [("x", b"", [NewPage(0, 0, failure=failure)])], digest="d")
    status = store.status(job, KEEP_S)
    assert status is not None and (status.state, status.pages_failed) == ("failed", 1)
    assert store.outcomes(job)[0].failure == failure


def test_results_are_forgotten_after_their_time_and_not_before(store: JobStore, clock: Clock) -> None:
    job, waiting = accept(store, pages=1), accept(store, pages=1)
    finish(store, claim(store))
    clock.now += KEEP_S - 1
    store.forget(KEEP_S)
    assert store.status(job, KEEP_S) is not None
    clock.now += 2
    store.forget(KEEP_S)
    assert store.status(job, KEEP_S) is None and store.outcomes(job) == []
    assert store.status(waiting, KEEP_S) is not None


def test_room_is_made_by_letting_go_of_finished_files_alone_the_oldest_first(store: JobStore, clock: Clock) -> None:
    old, recent, waiting = (accept(store, pages=1) for _ in range(3))
    for _ in range(2):
        finish(store, claim(store), "kept")
        clock.now += 1
    store.make_room(1)
    assert store.sheet(old, 1) is None and store.outcomes(old)[0].result == "kept"
    assert store.sheet(recent, 1) == (b"bytes", 0)
    store.make_room(10**9)
    assert store.load().held_bytes == len(b"bytes")
    assert claim(store).job == waiting


def test_a_removed_job_leaves_nothing(store: JobStore) -> None:
    job = accept(store)
    store.remove(job)
    assert (store.status(job, KEEP_S), store.outcomes(job), store.load().held_bytes) == (None, [], 0)


def test_a_stream_of_small_jobs_does_not_keep_a_large_one_waiting(store: JobStore) -> None:
    large = accept(store, pages=20)
    served = []
    for _ in range(20):
        accept(store, pages=1)
        claimed = claim(store)
        served.append(claimed.job)
        finish(store, claimed)
    assert served.count(large) >= 5 and large in served[-8:]


def test_a_newcomer_does_not_catch_up_with_what_others_had_before(store: JobStore) -> None:
    early = accept(store, pages=40, caller="early")
    for _ in range(10):
        finish(store, claim(store))
    accept(store, pages=40, caller="late")
    served = []
    for _ in range(10):
        claimed = claim(store)
        served.append(claimed.job)
        finish(store, claimed)
    assert served.count(early) == 5


def test_a_call_that_was_waited_for_ends_with_the_process(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    before = JobStore(path)
    kept = accept(before, pages=1)
    before.accept("a", Order(), [("x", b"b", [NewPage(0, 1)])], digest="", job="gone", waited=True)
    before.close()
    after = JobStore(path)
    assert claim(after).job == kept and after.claim() is None and after.status("gone", KEEP_S) is None
    after.close()


def test_a_database_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    before = JobStore(path)
    job = accept(before, pages=2)
    for table, column in (("jobs", "turn"), ("jobs", "waited"), ("pages", "pixels")):
        before._db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    before.close()
    after = JobStore(path)
    assert claim(after).job == job
    after.close()


def test_a_jobs_deadline_survives_and_what_is_not_read_by_then_fails(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "kept.sqlite3"
    store = JobStore(path, clock)
    sheets = [NewPage(place, place + 1) for place in range(2)]
    job, _ = store.accept("a", Order(), [("doc.pdf", b"bytes", sheets)], digest="d", timeout_s=10)
    accept(store)
    finish(store, claim(store))
    store.close()
    clock.now += 4
    store = JobStore(path, clock)
    assert store.deadlines() == {job: 6.0}
    store.give_up(job, PageFailure(code="deadline-passed", detail="late"))
    status = store.status(job, KEEP_S)
    assert status is not None and (status.pages_done, status.pages_failed) == (1, 1) and status.is_final
    assert store.deadlines() == {}
    store.close()


def test_the_load_of_one_caller_is_told_apart(store: JobStore) -> None:
    accept(store, pages=3, caller="a")
    accept(store, pages=2, caller="b")
    assert (store.load().jobs, store.load().pages) == (2, 5)
    assert (store.load("b").jobs, store.load("b").pages, store.load("c").pages) == (1, 2, 0)
