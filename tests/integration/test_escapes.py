"""Nothing at the keyboard or the mouse leads out of the page: tried on the image's own browser, as it runs there.

After each attempt: the browser's processes and the windows are those of before, and the page still answers to its
own keys. A normal run tries a third of them, another third for each commit; `--full` all.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from builder.keys import ROOT
from tests.integration.booted_station import Booted, booted
from tests.integration.escapes import KEYS, POINTER
from tests.integration.image_tree import stacked
from tests.pages.render import render

KIOSK_USER = 903
BUS_USER = 912
BROWSER = "/usr/lib/chromium/chromium"
PATIENCE = float(os.environ.get("INKSTICK_TEST_PATIENCE", "1"))
THIRDS = 3
SETTLES_S = 0.35
"""A window or a program that a key brings is there after this; what is slower is met by the attempts after it."""
ATTEMPTS = [
    *(("key", what, keys) for what, many in KEYS.items() for keys in many),
    *(("pointer", what, moves) for what, many in POINTER.items() for moves in many),
]


@pytest.fixture(scope="module")
def station(iso: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    with stacked(iso, tmp_path_factory.mktemp("tree")) as tree, booted(tree, tmp_path_factory.mktemp("room")) as made:
        yield made


def chosen(*, full: bool) -> list[tuple[str, str, str]]:
    if full:
        return ATTEMPTS
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    turn = int(hashlib.sha256(head.encode()).hexdigest(), 16)
    return ATTEMPTS[turn % THIRDS :: THIRDS]


def programs(station: Booted) -> dict[int, str]:
    """The browser and everything it has started, by what each is for; without the services that it starts and ends
    for itself when it likes, none of which can show anything.
    """
    found = {}
    for pid, line in station.processes(KIOSK_USER).items():
        words = " ".join(line)
        kind = re.search(r"--type=(\S+)", words)
        if kind is None or kind[1] not in ("utility", "broker"):
            found[pid] = f"{words.split(' ')[0]} {kind[1] if kind else ''}".strip()
    return found


def windows(station: Booted) -> list[str]:
    """Windows that can be seen: those of one point are Chromium's own mailboxes."""
    listed = _run(station, "xwininfo", "-root", "-tree")
    return sorted(re.findall(r"(0x\w+ .*?\d{3,}x\d{3,}\+\S+)", listed))


def _run(station: Booted, *argv: str) -> str:
    environment = {**os.environ, "DISPLAY": station.display}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout


def press(station: Booted, *keys: str) -> None:
    _run(station, "xdotool", "key", *keys)


def attempt(station: Booted, kind: str, what: str) -> None:
    if kind == "key":
        press(station, *what.split(" "))
    else:
        _run(station, "xdotool", "mousemove", "640", "400", *what.split(" "))


def wait_until(true: Callable[[], object], why: str, limit_s: float = 120) -> None:
    deadline = time.monotonic() + limit_s * PATIENCE
    while not true():
        assert time.monotonic() < deadline, why
        time.sleep(0.2)


def answers(station: Booted) -> None:
    """The page obeys its own key for the other language. A key that comes while it is drawn anew may be lost."""
    before = station.state()["language"]
    deadline = time.monotonic() + 60 * PATIENCE
    while station.state()["language"] == before:
        assert time.monotonic() < deadline, "the page does not answer"
        press(station, "l")
        time.sleep(3)


def put_in(station: Booted, name: str) -> None:
    made = station.sticks.parent / name
    made.mkdir()
    for number in (1, 2):
        content = io.BytesIO()
        page = render("english").image
        page.crop((0, 0, page.width, page.height // 4)).save(content, "PNG")
        (made / f"page-{number}.png").write_bytes(content.getvalue())
    made.rename(station.sticks / name)


def at_first_screen(station: Booted) -> None:
    assert station.state()["screen"] == "insert"


def at_list(station: Booted) -> None:
    if not list(station.sticks.iterdir()):
        put_in(station, "SCANS")
    wait_until(lambda: station.state()["screen"] == "list", "no list")


def at_review(station: Booted) -> None:
    """Where the attempts of an earlier test have led is up to them: to the list, or nowhere."""
    if station.state()["screen"] != "review":
        at_list(station)
    station.wait_for_report("engine-ready", 600)
    deadline = time.monotonic() + 600 * PATIENCE
    while station.state()["screen"] != "review":
        assert time.monotonic() < deadline, "nothing was read"
        # Clicks before this may have chosen some already, so that A chooses none.
        press(station, "Escape", "a", "Return")
        time.sleep(10)


STATES = {"first screen": at_first_screen, "list": at_list, "review": at_review}


@pytest.mark.parametrize("state", STATES)
def test_nothing_leads_out_of_the_page(station: Booted, state: str, request: pytest.FixtureRequest) -> None:
    STATES[state](station)
    answers(station)
    assert tried(station, chosen(full=request.config.option.markexpr != "not full")) == []
    answers(station)


def tried(station: Booted, attempts: list[tuple[str, str, str]]) -> list[str]:
    """What each attempt changed, in words. What it may do on the page itself is the page's affair."""
    found = []
    before, shown = programs(station), windows(station)
    for kind, purpose, what in attempts:
        attempt(station, kind, what)
        time.sleep(SETTLES_S)
        now, seen = programs(station), windows(station)
        if now != before or seen != shown:
            found.append(f"{what} ({purpose}): {_difference(before, now)} {set(seen) ^ set(shown) or ''}")
            before, shown = now, seen
    return found


def _difference(before: dict[int, str], now: dict[int, str]) -> str:
    gone = [name for pid, name in before.items() if pid not in now]
    come = [name for pid, name in now.items() if pid not in before]
    return f"gone {gone}, come {come}" if gone or come else "a window"


def test_a_page_that_hangs_leaves_no_way_out_either(station: Booted) -> None:
    """The browser's processes that draw pages are stopped: none of them can refuse a key."""
    drawing = [pid for pid, name in programs(station).items() if name.endswith("renderer")]
    for pid in drawing:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert tried(station, [row for row in ATTEMPTS if row[1] in ("a new window or tab", "close or quit")]) == []
    finally:
        for pid in drawing:
            os.kill(pid, signal.SIGCONT)


def test_the_browser_listens_on_nothing_and_keeps_its_sandbox(station: Booted) -> None:
    (main,) = (pid for pid, name in programs(station).items() if name == BROWSER)
    sockets = Path(f"/proc/{main}/net/tcp").read_text() + Path(f"/proc/{main}/net/tcp6").read_text()
    listening = {int(line.split()[1].split(":")[1], 16) for line in sockets.splitlines() if line.split()[3] == "0A"}
    assert listening == {7860, 8000}
    words = " ".join(word for line in station.processes(KIOSK_USER).values() for word in line)
    assert "--no-sandbox" not in words and "remote-debugging" not in words and "type=zygote" in words


def test_a_browser_that_is_killed_comes_back_to_the_page(station: Booted) -> None:
    before = {pid for pid, name in programs(station).items() if name == BROWSER}
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: {pid for pid, name in programs(station).items() if name == BROWSER} - before and windows(station),
        "no new browser",
    )
    answers(station)


def test_pinyin_comes_through_what_confines_it(station: Booted) -> None:
    """Browser, bus and fcitx5, each in its own unit; also when the bus has died under the other two."""
    at_review(station)
    types(station, "hetong", "合同")
    (bus,) = station.processes(BUS_USER)
    os.kill(bus, signal.SIGKILL)
    wait_until(lambda: bus not in station.processes(BUS_USER), "the bus is still there")
    types(station, "shenfen", "身份")


def types(station: Booted, letters: str, words: str) -> None:
    """What comes before the page listens is given again."""
    deadline = time.monotonic() + 300 * PATIENCE
    while words not in station.ask("http://127.0.0.1:7860/kiosk/pages/0")["text"]:
        assert time.monotonic() < deadline, "no pinyin"
        for keys in (("Return", "ctrl+a"), ("ctrl+space",), tuple(letters), ("space",), ("ctrl+space", "Return")):
            press(station, *keys)
            time.sleep(1)
        if station.state()["screen"] != "review":
            at_review(station)
