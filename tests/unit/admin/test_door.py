"""The PIN before the admin page: guessing it gets slower, and a session ends when nobody touches the page."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from runtime.admin import pin as pins
from runtime.admin.door import COOKIE, Door, door_routes
from runtime.admin.pin import Pin, WeakPin, digest_of, matches
from runtime.config import AdminConfig
from runtime.gateway.problem_responses import answer_with_problems
from tests.integration.station import REPOSITORY

PIN = "271828"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real function, of less work."""
    monkeypatch.setattr(pins, "_COST", 4)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client(config: AdminConfig, clock: Clock, address: str = "127.0.0.1") -> TestClient:
    door = Door(config, clock)
    app = FastAPI()
    answer_with_problems(app)
    app.include_router(door_routes(door))

    @app.get("/admin/now", dependencies=[Depends(door.require)])
    async def now() -> str:
        return "in"

    return TestClient(app, base_url="http://127.0.0.1:7860", client=(address, 50000))


@pytest.fixture
def fixed(clock: Clock) -> Iterator[TestClient]:
    yield client(AdminConfig(pin_hash=digest_of(PIN)), clock)


def enter(door: TestClient, pin: str) -> tuple[int, dict[str, object]]:
    answer = door.post("/admin/door/enter", json={"pin": pin})
    return answer.status_code, answer.json() if answer.content else {}


@pytest.mark.parametrize(
    "weak", ["", "12345", "1234567890123", "111111", "123456", "987654", "890123", "12345a", "１２３４５６７"]
)
def test_a_pin_that_is_guessed_first_is_refused(weak: str) -> None:
    with pytest.raises(WeakPin):
        digest_of(weak)


def test_a_digest_fits_its_pin_alone_and_is_new_each_time() -> None:
    one, other = digest_of(PIN), digest_of(PIN)
    assert one != other and PIN not in one
    assert matches(PIN, one) and matches(PIN, other)
    assert not matches("271829", one)
    assert not matches(PIN, "scrypt$15$8$1$short$short") and not matches(PIN, "")


def test_the_program_prints_what_stands_in_a_profile() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runtime.admin.pin"], input=f"{PIN}\n", capture_output=True, text=True, cwd=REPOSITORY
    )
    assert done.returncode == 0 and matches(PIN, done.stdout.strip())
    assert AdminConfig(pin_hash=done.stdout.strip())


def test_nothing_is_told_before_the_pin(fixed: TestClient) -> None:
    answer = fixed.get("/admin/now")
    assert answer.status_code == 401 and answer.json()["code"] == "pin-wanted"
    assert fixed.get("/admin/door").json() == {"state": "locked", "wait_s": 0, "fixed": True}


def test_the_pin_opens_and_its_cookie_is_for_this_page_alone(fixed: TestClient) -> None:
    answer = fixed.post("/admin/door/enter", json={"pin": PIN})
    assert answer.status_code == 204
    words = answer.headers["set-cookie"].lower()
    assert "httponly" in words and "samesite=strict" in words and "path=/admin" in words
    assert fixed.get("/admin/now").json() == "in"
    fixed.post("/admin/door/leave")
    assert fixed.get("/admin/now").status_code == 401


def test_a_forged_cookie_opens_nothing(fixed: TestClient) -> None:
    assert fixed.get("/admin/now", headers={"cookie": f"{COOKIE}=guess"}).status_code == 401


def test_wrong_pins_wait_longer_each_time_and_even_the_right_one_then(fixed: TestClient, clock: Clock) -> None:
    for _ in range(3):
        assert enter(fixed, "314159")[0] == 403
    waits = []
    for _ in range(6):
        code, problem = enter(fixed, "314159")
        assert code == 403
        waits.append(float(str(problem["wait_s"])))
        assert enter(fixed, PIN)[0] == 429
        clock.now += waits[-1]
    assert waits == sorted(waits) and waits[-1] >= 16 * waits[0]
    assert enter(fixed, PIN)[0] == 204
    assert enter(fixed, "314159")[0] == 403


def test_no_wait_is_longer_than_a_quarter_of_an_hour(fixed: TestClient, clock: Clock) -> None:
    for _ in range(40):
        wait = fixed.get("/admin/door").json()["wait_s"]
        assert wait <= 901
        clock.now += wait
        enter(fixed, "314159")


def test_a_session_ends_unless_somebody_touches_the_page(fixed: TestClient, clock: Clock) -> None:
    enter(fixed, PIN)
    for _ in range(5):
        clock.now += 500
        assert fixed.post("/admin/door/stay").status_code == 204
    for _ in range(5):  # a page that draws itself anew does not count
        clock.now += 130
        status = fixed.get("/admin/now").status_code
    assert status == 401


def test_the_first_visitor_chooses_and_the_next_must_know_it(clock: Clock, tmp_path: Path) -> None:
    config = AdminConfig(pin_file=tmp_path / "pin")
    door = client(config, clock)
    assert door.get("/admin/door").json()["state"] == "unset"
    assert enter(door, PIN)[0] == 401
    assert door.post("/admin/door/choose", json={"pin": "111111"}).json()["code"] == "pin-weak"
    assert door.post("/admin/door/choose", json={"pin": PIN}).status_code == 204
    assert door.get("/admin/now").status_code == 200
    stranger = client(config, clock)  # the gateway was started again: the PIN stands
    assert stranger.post("/admin/door/choose", json={"pin": "314159"}).status_code == 401
    assert enter(stranger, PIN)[0] == 204
    assert stranger.post("/admin/door/choose", json={"pin": "314159"}).status_code == 401
    assert stranger.post("/admin/door/change", json={"old": PIN, "pin": "314159"}).status_code == 204
    assert door.get("/admin/now").status_code == 200
    assert enter(client(config, clock), PIN)[0] == 403
    assert stat.S_IMODE((tmp_path / "pin").stat().st_mode) == 0o600
    assert PIN not in (tmp_path / "pin").read_text()


def test_who_is_in_changes_the_pin_only_with_the_old_one(clock: Clock, tmp_path: Path) -> None:
    config = AdminConfig(pin_file=tmp_path / "pin")
    door = client(config, clock)
    assert door.post("/admin/door/change", json={"old": PIN, "pin": "314159"}).status_code == 401
    assert door.post("/admin/door/choose", json={"pin": PIN}).status_code == 204
    wrong = door.post("/admin/door/change", json={"old": "314159", "pin": "161803"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "pin-wrong")
    weak = door.post("/admin/door/change", json={"old": PIN, "pin": "111111"})
    assert (weak.status_code, weak.json()["code"]) == (422, "pin-weak")
    before = door.cookies["inkstick_admin"]
    assert door.post("/admin/door/change", json={"old": PIN, "pin": "161803"}).status_code == 204
    assert door.cookies["inkstick_admin"] != before and door.get("/admin/now").status_code == 200
    door.cookies.set("inkstick_admin", before)
    assert door.get("/admin/door").json()["state"] == "locked"


def test_the_profiles_pin_cannot_be_changed_at_the_station(fixed: TestClient) -> None:
    enter(fixed, PIN)
    assert fixed.post("/admin/door/choose", json={"pin": "314159"}).json()["code"] == "pin-fixed"
    change = fixed.post("/admin/door/change", json={"old": PIN, "pin": "314159"})
    assert change.json()["code"] == "pin-fixed"


def test_from_another_machine_there_is_no_such_page(clock: Clock) -> None:
    config = AdminConfig(pin_hash=digest_of(PIN))
    far = client(config, clock, "192.168.1.7")
    assert far.get("/admin/door").status_code == 404
    assert enter(far, PIN)[0] == 404
    assert far.get("/admin/now").status_code == 404
    assert enter(client(config.model_copy(update={"lan": True}), clock, "192.168.1.7"), PIN)[0] == 204


def test_a_pin_that_cannot_be_kept_is_not_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    pin = Pin(None, tmp_path / "file" / "pin")
    with pytest.raises(OSError):
        pin.set(PIN)
    assert not pin.is_set
