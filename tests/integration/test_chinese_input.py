"""Pinyin from a keyboard: the image's own fcitx5 and Chromium, as its own users, on a display of this machine.

The page is a real station's, and what was typed is asked of that station.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

import pytest

from tests.browser import station as stations
from tests.browser.station import Station, short
from tests.integration.image_display import BUS, KIOSK, Screen, Tree, display, layers_of

pytestmark = pytest.mark.full

PATIENCE_S = 180


@pytest.fixture(scope="module")
def layers(iso: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return layers_of(iso, tmp_path_factory.mktemp("layers"))


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    running = stations.start(tmp_path, forgotten_flag=str(tmp_path / "shared/forgotten"))
    yield running
    stations.stop(running)


@pytest.fixture
def tree(layers: list[Path], station: Station, tmp_path: Path) -> Tree:
    return Tree(layers, tmp_path / "shared", station.url.rpartition(":")[2])


@pytest.fixture
def screen(tree: Tree, station: Station, tmp_path: Path) -> Iterator[Screen]:
    with ExitStack() as stack:
        number = display(stack, tmp_path)
        instead = {"DISPLAY": f":{number}", "DBUS_SESSION_BUS_ADDRESS": BUS}
        _start(stack, tree, "inkstick-input-bus", {}, tmp_path)
        _wait(lambda: (tmp_path / "shared/socket").is_socket(), lambda: _logs(tmp_path))
        _start(stack, tree, "inkstick-input", {**instead, "INPUT_FORGETS": "/run/inkstick/told/forgotten"}, tmp_path)
        page = {"KIOSK_URL": f"{station.url}/", "KIOSK_PAINTED": "/run/inkstick/gateway/painted"}
        _start(stack, tree, "inkstick-kiosk", {**instead, **page}, tmp_path)
        yield Screen(number, tmp_path)


def _start(stack: ExitStack, tree: Tree, unit: str, instead: dict[str, str], folder: Path) -> None:
    (folder / unit).mkdir()
    log = stack.enter_context((folder / f"{unit}.log").open("wb"))
    process = subprocess.Popen(tree.unit(unit, instead, folder / unit), stdout=log, stderr=subprocess.STDOUT)
    stack.callback(process.wait, 60)
    stack.callback(process.kill)


def _wait(until: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, what()
        time.sleep(0.5)


def _pages(station: Station) -> str:
    with urllib.request.urlopen(f"{station.url}/kiosk/pages/0", timeout=30) as answer:
        return json.dumps(json.load(answer), ensure_ascii=False)


def test_pinyin_is_typed_into_the_page_with_the_images_own_programs(
    screen: Screen, station: Station, tmp_path: Path
) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    _review(screen, station, tmp_path)
    _wait(
        lambda: _written(screen, station, [["Return", "ctrl+a"], "No. 7", ["Return"]], "No. 7"),
        lambda: _logs(tmp_path),
    )
    _wait(lambda: _written(screen, station, CHINESE, "身份证合同 No. 7"), lambda: _logs(tmp_path) + _pages(station))


PASSPHRASE = "lan-hai-yun-7431"
ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts"
# Keys in lists, letters in words. Ctrl+Space turns pinyin on, and off again.
CHINESE: list[str | list[str]] = [
    *(["Return", "ctrl+a", "ctrl+space"], "shenfenzheng", ["space"], "hetong", ["1", "ctrl+space"]),
    *(" No. 7", ["Return"]),
]


def _review(screen: Screen, station: Station, folder: Path) -> None:
    """One page is read and open. Nobody but the page tells when it listens: what comes too early is given again."""
    station.plug_in("STICK", {"short.png": short()})
    _wait(lambda: station.state()["screen"] == "list", lambda: "the list does not come")
    _wait(lambda: _opened(screen, station), lambda: _logs(folder))


def _make_vault(station: Station) -> None:
    station.plug_in("VAULT", {})
    _wait(lambda: bool(_places(station)), lambda: str(station.state()))
    station.post("vault/make", {"place": _places(station)[0]["id"], "passphrase": PASSPHRASE})


def _opened(screen: Screen, station: Station) -> bool:
    if station.state()["screen"] == "list":
        screen.do("key", "Return")
        time.sleep(2)
    return station.state()["screen"] == "review"


def _written(screen: Screen, station: Station, typed: list[str | list[str]], wanted: str) -> bool:
    for part in typed:
        if isinstance(part, str):
            screen.do("type", "--delay", "120", part)
        for key in part if isinstance(part, list) else ():
            screen.do("key", key)
        time.sleep(1)
        screen.picture(ARTIFACTS / f"fcitx5-{part if isinstance(part, str) else part[0]}.png")
    return wanted in _pages(station)


def _logs(folder: Path) -> str:
    return "\n".join(file.read_text(errors="replace")[-1500:] for file in folder.glob("*.log"))


def test_the_page_heeds_keys_again_after_a_dialog_with_a_text_field_was_closed(
    screen: Screen, station: Station, tmp_path: Path
) -> None:
    """By Escape, which the browser itself closes it with: twice, since the first time the field is new."""
    _make_vault(station)
    _review(screen, station, tmp_path)
    for _ in range(2):
        before = station.state()["language"]
        for key in ("v", "h", "Escape"):
            time.sleep(3)
            screen.do("key", key)
        time.sleep(3)
        screen.do("key", "l")
        _wait(partial(_speaks_another, station, before), lambda: _logs(tmp_path))


def test_a_passphrase_is_never_taken_for_pinyin(screen: Screen, station: Station, tmp_path: Path) -> None:
    _make_vault(station)
    _review(screen, station, tmp_path)
    pinyin: list[str | list[str]] = [["Return", "ctrl+a", "ctrl+space"], "hetong", ["space", "Return"]]
    _wait(lambda: _written(screen, station, pinyin, "合同"), lambda: _logs(tmp_path))
    station.pull("VAULT")
    _wait(lambda: _vault(station)["state"] == "gone", lambda: str(station.state()))
    station.put_back("VAULT")  # it is offered by itself; pinyin is still on
    time.sleep(10)
    screen.do("type", "--delay", "120", PASSPHRASE)
    screen.do("key", "Return")
    time.sleep(5)
    screen.picture(ARTIFACTS / "fcitx5-passphrase.png")
    _wait(lambda: _vault(station)["state"] == "open", lambda: str(station.state()["vault"]))


def test_the_keyboard_outlives_fields_that_are_left_at_once_while_the_browser_is_slow(
    screen: Screen, station: Station, tmp_path: Path
) -> None:
    """By XIM it was dead here within five rounds: an answer that came for a field which was left already."""
    _review(screen, station, tmp_path)
    chance = random.Random(7)
    for _ in range(15):
        with _slow(chance):
            for key in ("Return", "Escape") * 6:
                held, after = chance.uniform(0, 0.08), chance.uniform(0, 0.2)
                screen.do("keydown", key, "sleep", f"{held:.3f}", "keyup", key, "sleep", f"{after:.3f}")
        before = station.state()["language"]
        _wait(partial(_heard, screen, station, before), lambda: "the keyboard is dead\n" + _logs(tmp_path))


def _heard(screen: Screen, station: Station, language: object) -> bool:
    """L speaks the other language, once the last field is left and the page is open again."""
    time.sleep(2)
    if _opened(screen, station):
        screen.do("key", "Escape")
        time.sleep(2)
        if station.state()["screen"] == "review":
            screen.do("key", "l")
            time.sleep(2)
    screen.picture(ARTIFACTS / "fcitx5-left.png")
    return _speaks_another(station, language)


@contextmanager
def _slow(chance: random.Random) -> Iterator[None]:
    """Chromium stands still most of the time: what comes and goes within milliseconds meets."""
    processes = [int(file.parent.name) for file in Path("/proc").glob("[0-9]*/cmdline") if _is_the_browser(file)]
    over = Event()

    def take_turns() -> None:
        while not over.wait(chance.uniform(0.01, 0.05)):
            _signal(processes, signal.SIGSTOP)
            time.sleep(chance.uniform(0.02, 0.12))
            _signal(processes, signal.SIGCONT)

    turns = Thread(target=take_turns)
    turns.start()
    try:
        yield
    finally:
        over.set()
        turns.join()


def _is_the_browser(command: Path) -> bool:
    """The image's, by its user."""
    with suppress(OSError):
        return command.stat().st_uid == KIOSK and b"chromium" in command.read_bytes()
    return False


def _signal(processes: list[int], number: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def test_what_was_learned_from_a_batch_is_forgotten_with_it(screen: Screen, station: Station, tmp_path: Path) -> None:
    _review(screen, station, tmp_path)
    fresh = _first_words(screen, station, ["space"])
    taught = [_first_words(screen, station, ["3"]) for _ in range(3)][-1]
    assert taught != fresh
    assert _first_words(screen, station, ["space"]) == taught
    station.post("forget")
    _wait(lambda: _opened(screen, station), lambda: _logs(tmp_path))
    _wait(lambda: _first_words(screen, station, ["space"]) == fresh, lambda: f"{taught} is still there")


def _first_words(screen: Screen, station: Station, choose: list[str]) -> str:
    """What the page says once `yiyi` was typed into its line as pinyin, and this chosen."""
    for part in (["Return", "ctrl+a", "ctrl+space"], "yiyi", choose, ["ctrl+space", "Return"]):
        screen.do("type", "--delay", "120", part) if isinstance(part, str) else screen.do("key", *part)
        time.sleep(1)
    return str(json.loads(_pages(station))["text"])


@pytest.mark.parametrize(
    ("user", "interface", "member", "answer"),
    [
        ("kiosk", "InputMethod1", "Version", "method return"),
        ("kiosk", "Controller1", "Exit", "AccessDenied"),
        ("kiosk", "Controller1", "SetConfig", "AccessDenied"),
        ("inkstick", "InputMethod1", "Version", "Failed to open connection"),
    ],
)
def test_the_browser_may_ask_about_keys_and_nothing_else_and_nobody_else_at_all(
    screen: Screen, tree: Tree, tmp_path: Path, user: str, interface: str, member: str, answer: str
) -> None:
    (tmp_path / "asks").mkdir()
    path = "/org/freedesktop/portal/inputmethod" if interface == "InputMethod1" else "/controller"
    program = ["dbus-send", "--session", "--print-reply", "--dest=org.fcitx.Fcitx5", path]
    command = tree.argv(
        user,
        [*program, f"org.fcitx.Fcitx.{interface}.{member}"],
        {"PATH": "/usr/bin", "DBUS_SESSION_BUS_ADDRESS": BUS},
        tmp_path / "asks",
    )

    def asked() -> str:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        return done.stdout

    _wait(lambda: answer in asked(), asked)


def _places(station: Station) -> list[dict[str, Any]]:
    return _vault(station)["places"]  # type: ignore[no-any-return]


def _vault(station: Station) -> dict[str, Any]:
    return cast(dict[str, Any], station.state()["vault"])


def _speaks_another(station: Station, language: object) -> bool:
    return bool(station.state()["language"] != language)
