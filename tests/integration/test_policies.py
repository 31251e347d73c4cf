"""What the image's policies do in the image's own browser, and that it knows every one of them."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, Route, sync_playwright

from tests.integration.image_tree import Tree, stacked

POLICIES = "/etc/chromium/policies/managed/inkstick.json"
ORIGIN = "http://127.0.0.1:7860"
ADDRESSES = (
    *("file:///etc/passwd", "file:///", "view-source:http://127.0.0.1:7860/", "chrome://policy"),
    *("chrome://downloads", "chrome://flags", "chrome://inspect", "chrome://version", "devtools://devtools/bundled/"),
    *("data:text/html,out", "http://127.0.0.1:8000/docs", "http://localhost:7860/", "http://127.0.0.1:7861/"),
    *("https://example.com/", "ftp://127.0.0.1/", "chrome-extension://abc/"),
)


_WATCHED = {"DeveloperToolsAvailability": 1, "RemoteDebuggingAllowed": True}
"""Without these nobody could look inside, the test neither."""


@pytest.fixture(scope="module")
def tree(iso: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    with stacked(iso, tmp_path_factory.mktemp("tree")) as made:
        for place, mount in {"proc": "-t proc proc", "dev": "--bind /dev", "tmp": "-t tmpfs tmp"}.items():
            subprocess.run(made.enter("sh", "-c", f"mount {mount} {made.root}/{place}"), check=True)
        yield made


@contextmanager
def browser(tree: Tree, room: Path, **lifted: Any) -> Iterator[Browser]:
    """The image's Chromium with the image's policies but for `lifted`, driven through its developer tools."""
    policies = json.loads(tree.run("cat", POLICIES).stdout)
    tree.write(POLICIES, json.dumps({**policies, **_WATCHED, **lifted}))
    start = room / "chromium"
    command = " ".join(tree.enter("chroot", tree.root, "/usr/lib/chromium/chromium"))
    start.write_text(f'#!/bin/sh\nHOME=/tmp exec {command} "$@"\n')
    start.chmod(start.stat().st_mode | stat.S_IXUSR)
    try:
        with sync_playwright() as playwright:
            arguments = ["--no-sandbox", "--disable-gpu"]
            running = playwright.chromium.launch(
                executable_path=start, args=arguments, ignore_default_args=["--disable-popup-blocking"]
            )
            yield running
            running.close()
    finally:
        tree.write(POLICIES, json.dumps(policies))


def test_the_browser_knows_every_policy(tree: Tree, tmp_path: Path) -> None:
    """On chrome://policy, as a person would read it; `URLBlocklist` lets nobody in, so the list is empty here."""
    asked = json.loads(tree.run("cat", POLICIES).stdout)
    with browser(tree, tmp_path, URLBlocklist=[]) as running:
        page = running.new_page()
        page.goto("chrome://policy")
        page.locator("policy-row .name", has_text="URLAllowlist").first.wait_for(timeout=120_000)
        names = page.locator("policy-row .policy.row .name").all_text_contents()
        said = page.locator("policy-row .policy.row .messages").all_text_contents()
    listed = {name.strip(): words.strip() for name, words in zip(names, said, strict=True)}
    print(listed)
    assert set(asked) <= set(listed), set(asked) - set(listed)
    assert {name: words for name, words in listed.items() if words not in ("OK", "Not set.")} == {}


@pytest.fixture(scope="module")
def kept_in(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tree, tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def page(kept_in: Browser) -> Iterator[Page]:
    """A page of the station's address, answered here: what it may do is up to the browser."""
    context = kept_in.new_context(accept_downloads=True)
    context.route(f"{ORIGIN}/**", _answer)
    opened = context.new_page()
    opened.goto(f"{ORIGIN}/")
    yield opened
    context.close()


def _answer(route: Route) -> None:
    route.fulfill(body="<!doctype html><title>station</title><h1>station</h1>", content_type="text/html")


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_other_address_is_opened(page: Page, address: str) -> None:
    with pytest.raises(Error, match=r"net::ERR_"):
        page.goto(address, timeout=60_000)
    assert page.inner_text("body").strip() != "out" and "root:" not in page.content()


def test_no_file_is_chosen(page: Page) -> None:
    """The dialog never comes: the field says at once that it was cancelled."""
    page.evaluate(
        """() => { const field = document.createElement('input'); field.type = 'file';
        field.addEventListener('cancel', () => { window.cancelled = true });
        document.body.append(field); field.style.position = 'fixed'; field.style.inset = 0; }"""
    )
    page.mouse.click(50, 10)
    page.wait_for_function("window.cancelled === true", timeout=30_000)


@pytest.mark.parametrize(
    "asked",
    [
        *("navigator.usb.requestDevice({filters: []})", "navigator.hid.requestDevice({filters: []})"),
        *("navigator.serial.requestPort()", "navigator.bluetooth.requestDevice({acceptAllDevices: true})"),
        *("navigator.mediaDevices.getUserMedia({audio: true})", "navigator.mediaDevices.getDisplayMedia()"),
        *(
            "showOpenFilePicker()",
            "showSaveFilePicker()",
            "showDirectoryPicker()",
        ),
        *("new Promise((yes, no) => navigator.geolocation.getCurrentPosition(yes, no))", "queryLocalFonts()"),
    ],
)
def test_no_device_file_or_screen_is_given(page: Page, asked: str) -> None:
    page.evaluate(
        f"document.onclick = async () => {{ window.said = await (async () => {asked})().then("
        "got => Array.isArray(got) && got.length === 0 ? 'refused' : 'given', "
        "error => 'refused: ' + (error.name ?? error.message)) }"
    )
    page.mouse.click(50, 300)
    page.wait_for_function("window.said !== undefined", timeout=30_000)
    assert page.evaluate("window.said").startswith("refused")
