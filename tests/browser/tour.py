"""A walk through every screen and dialog of the station, for whoever looks at all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from runtime.hardware.facts import Facts
from runtime.hardware.ladder import judge
from runtime.kiosk import catalogue
from tests.browser.conftest import Watched
from tests.browser.station import Station, chinese, english, png, short
from tests.pages.forms import form_page
from tests.unit.hardware.test_ladder import LADDER

LANGUAGES = ("zh", "en")
LONG_MS = 120_000
PIN = "271828"
PASSPHRASE = "lan-hai-yun-7431"


def walk(kiosk: Watched, station: Station) -> Iterator[str]:
    """Yields the name of what is shown; it stays until the next is asked for. Ends where it began.

    A dialog is opened by its own key; those that need a mishap are opened by hand, at the end.
    """
    for part in (_first, _vault, _choosing, _reading, _reviewing, _saving, _mishaps, _dialogs):
        yield from part(kiosk, station)


def admin(kiosk: Watched, station: Station) -> Iterator[str]:
    """The pages behind the PIN. The first who comes chooses it."""
    page = kiosk.page
    page.goto(f"{station.url}/admin")
    page.wait_for_selector("#pad button:not(:disabled)")
    yield "admin-door"
    kiosk.press(*PIN, "Enter")
    page.wait_for_timeout(2000)  # the desk, or the question for the same once more
    if page.locator("#desk").is_hidden():
        kiosk.press(*PIN, "Enter")
    page.wait_for_selector("#desk:not([hidden])")
    for tab in page.locator("#tabs button").all():
        name = tab.get_attribute("data-panel")
        tab.click()
        page.wait_for_selector(f"#{name}:not([hidden])")
        yield f"admin-{name}"
    yield from _dialogs(kiosk, station, "admin-")


def speak(kiosk: Watched, station: Station, language: str) -> None:
    """Live, as the key L does it."""
    station.post("language", {"language": language})
    tag = "zh-CN" if language == "zh" else "en"
    at_the_door = kiosk.page.locator("#door:not([hidden])").count()
    if at_the_door and kiosk.page.locator(f'html[lang="{tag}"]').count() == 0:
        kiosk.press("l")  # nothing is told to it before somebody is let in
    kiosk.page.wait_for_selector(f'html[lang="{tag}"]', timeout=LONG_MS)


def _first(kiosk: Watched, station: Station) -> Iterator[str]:
    kiosk.shows("insert")
    yield "insert"
    yield from _asked(kiosk, "F1", "keys")
    yield from _asked(kiosk, "F7", "view")
    yield from _asked(kiosk, "F10", "tell")  # as a station that is only practised on cannot
    for key, name in (("c", "camera"), ("n", "scanner")):
        kiosk.press(key)
        kiosk.shows(name)
        if name == "camera":
            kiosk.page.wait_for_selector("#shots li, #camera-problem:not([hidden])", timeout=LONG_MS)
        kiosk.page.wait_for_timeout(2000)  # for a picture, or the reason why there is none
        yield name
        kiosk.press("Escape")
        kiosk.shows("insert")


def _vault(kiosk: Watched, station: Station) -> Iterator[str]:
    """Made on a stick, looked at, and locked again."""
    page, words = kiosk.page, catalogue.messages(LANGUAGES[0])
    station.plug_in("VAULT", {})
    page.wait_for_selector("#vault-button:not([hidden])")
    kiosk.shows("list")
    kiosk.press("v")
    page.wait_for_selector('#vault [data-do="vault-make"]:not([hidden])')
    yield "vault"
    kiosk.press("m")
    page.wait_for_selector("#vault-make[open]")
    for field in ("#vault-new", "#vault-again"):
        page.fill(field, PASSPHRASE)
    page.wait_for_selector('#vault-bar[data-word="strong"], #vault-bar[data-word="good"]')
    if page.locator("#vault-erases").is_visible():
        page.fill("#vault-confirm", re.findall(r"\d{4}", page.locator("#vault-erases").inner_text())[0])
    yield "vault-make"
    page.locator("#vault-make-go").click()
    page.wait_for_selector("#vault-key[open]", timeout=LONG_MS)
    page.wait_for_selector("#vault-key-code svg path")
    yield "vault-key"
    kiosk.press("y")
    page.wait_for_selector('#vault-button[data-state="open"]', timeout=LONG_MS)
    yield "vault-open"
    kiosk.press("h")
    page.wait_for_selector("#vault-history[open]")
    yield "vault-history"
    page.locator('#vault-history [data-do="vault"]').click()
    page.wait_for_selector("#vault[open]")
    kiosk.press("c")
    page.wait_for_selector("#vault-change[open]")
    yield "vault-change"
    page.locator('#vault-change [data-do="vault"]').click()
    page.wait_for_selector("#vault[open]")
    kiosk.press("x")
    page.wait_for_selector("#vault-found button", timeout=LONG_MS)
    yield "vault-locked"
    page.locator("#vault-found button", has_text=words["vault.action_erase"]).click()
    page.wait_for_selector("#vault-erase[open]")
    yield "vault-erase"
    page.locator('#vault-erase [data-do="vault"]').click()
    page.locator("#vault-found button", has_text=words["vault.action_unlock"]).click()
    page.wait_for_selector("#vault-unlock[open]")
    yield "vault-unlock"
    page.locator('#vault-unlock [data-do="dismiss"]').click()
    page.wait_for_selector("#vault", state="hidden")
    station.rest()
    page.wait_for_selector('#vault-button:not([data-state="open"])')
    kiosk.shows("insert")
    page.wait_for_function("() => !document.querySelector('dialog[open]')")


def _choosing(kiosk: Watched, station: Station) -> Iterator[str]:
    pages = {
        "english.png": english()[0],
        "合同/第一页.png": chinese()[0],
        "身份证.png": png(form_page("identity-card").image),
        "短.png": short(),
        "坏.png": b"no picture",
    }
    station.plug_in("KINGSTON", pages)
    kiosk.page.wait_for_selector(f"#files li:nth-child({len(pages)}) img")
    kiosk.press("a")
    yield "list"


def _reading(kiosk: Watched, station: Station) -> Iterator[str]:
    kiosk.press("Enter")
    kiosk.shows("reading")
    kiosk.press(" ")  # so that it is still there when it is looked at
    station.wait_until(lambda state: state["reading"]["paused"])
    yield "reading"
    kiosk.press(" ")
    kiosk.shows("review", timeout_s=LONG_MS / 1000)


def _reviewing(kiosk: Watched, station: Station) -> Iterator[str]:
    page = kiosk.page
    pages = page.evaluate("fetch('/kiosk/pages').then(answer => answer.json()).then(all => all.pages)")
    for number, each in enumerate(pages):
        page.wait_for_function(
            "number => document.getElementById('review-number').textContent.startsWith(`${number} `)", arg=number + 1
        )
        if each["name"].startswith("坏"):
            yield "review-failed"
        elif each["name"].startswith("english"):
            yield "review"
            kiosk.press("Enter", "F8")
            page.keyboard.type("shenfenzheng")
            page.wait_for_selector("#keyboard-candidates button")
            yield "review-pinyin"
            kiosk.press("Escape", "F8", "Escape")
            yield from _replacing(kiosk)
            yield from _taking_out(kiosk)
        elif each["name"].startswith("身份证"):
            yield "review-card"
        if number + 1 < len(pages):
            kiosk.press("PageDown")


def _replacing(kiosk: Watched) -> Iterator[str]:
    kiosk.press("f")
    kiosk.page.wait_for_selector("#replace[open]")
    kiosk.page.fill("#replace-find", "the")
    kiosk.page.fill("#replace-with", "this")
    kiosk.page.wait_for_selector("#replace-found li:nth-child(3)")
    yield "replace"
    kiosk.press("Escape")
    kiosk.page.wait_for_selector("#replace", state="hidden")


def _taking_out(kiosk: Watched) -> Iterator[str]:
    kiosk.press("o")
    kiosk.page.wait_for_selector("#ask-exports[open]")
    yield "exports"
    kiosk.press("q")
    kiosk.page.wait_for_selector("#qr[open]")
    yield "qr"
    kiosk.press("Enter")
    kiosk.page.wait_for_selector("#qr", state="hidden")


def _saving(kiosk: Watched, station: Station) -> Iterator[str]:
    stick = station.sticks / "KINGSTON"
    kiosk.press("s")
    kiosk.shows("saved", timeout_s=LONG_MS / 1000)
    yield "saved"
    kiosk.press("Escape")
    kiosk.shows("review")
    assert stick.is_dir()


def _mishaps(kiosk: Watched, station: Station) -> Iterator[str]:
    station.pull("KINGSTON")  # that was safe, and is no mishap
    station.wait_until(lambda state: not state["sticks"])
    station.put_back("KINGSTON")
    station.wait_until(lambda state: len(state["sticks"]) == 1)
    station.pull("KINGSTON")
    kiosk.page.wait_for_selector("#notice:not([hidden])")
    yield "notice"
    station.rest()
    kiosk.shows("insert")
    report = judge(Facts(ram_bytes=4_000_000_000, has_model=True), LADDER).as_json({})
    station.hardware.write_text(json.dumps(report))
    kiosk.shows("trouble", timeout_s=LONG_MS / 1000)
    yield "trouble"
    station.hardware.write_text(json.dumps({"parts": {}, "troubles": []}))
    station.rest()
    kiosk.shows("insert")


_MET = ("keys", "view", "tell", "replace", "vault-change", "vault-erase", "vault-unlock")
"""Dialogs that the walk comes by on its way."""


def _dialogs(kiosk: Watched, station: Station, prefix: str = "") -> Iterator[str]:
    """Each dialog by itself, as far as it is drawn without what led to it."""
    page = kiosk.page
    for name in page.evaluate("[...document.querySelectorAll('dialog')].map(dialog => dialog.id)"):
        if not prefix and name in _MET:
            continue
        # What is told or asked for is written when it happens.
        page.evaluate(
            """name => import('/static/js/dialogs.js').then(dialogs => {
              const heading = document.querySelector(`#${name} h1`);
              if (heading && !heading.textContent) heading.textContent = dialogs.reason("internal-error");
              dialogs.ask(name);
            })""",
            name,
        )
        page.wait_for_selector(f"#{name}[open]")
        yield f"{prefix}dialog-{name}"
        page.evaluate("document.querySelector('dialog[open]')?.close()")


def _asked(kiosk: Watched, key: str, dialog: str) -> Iterator[str]:
    kiosk.press(key)
    kiosk.page.wait_for_selector(f"#{dialog}[open]")
    yield f"dialog-{dialog}"
    kiosk.press("Escape")
    kiosk.page.wait_for_selector(f"#{dialog}", state="hidden")


Walk = Callable[[Watched, Station], Iterator[str]]
WALKS: dict[str, Walk] = {"station": walk, "admin": admin}
