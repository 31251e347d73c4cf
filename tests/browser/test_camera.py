"""The document camera, from Chromium's pretended one through to text; allowed by the image's own policy."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Template
from playwright.sync_api import Browser

from tests.browser.axe import violations
from tests.browser.conftest import ARGUMENTS, Watched
from tests.browser.film import make_film
from tests.browser.station import ROOT, Station
from tests.pages.cer import cer
from tests.pages.render import render

pytestmark = pytest.mark.full

POLICY = ROOT / "overlay/rootfs/etc/chromium/policies/managed/inkstick.json.j2"
Open = Callable[..., Watched]


@pytest.fixture
def with_camera(station: Station, browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens the kiosk page in a browser of its own, with what the policy says of cameras, and a film for a camera."""
    opened: list[Any] = []

    def start(*flags: str, allowed: bool = True, size: tuple[int, int] = (1280, 800)) -> Watched:
        chromium = _under_policy(tmp_path, station.url if allowed else "http://127.0.0.1:1")
        running = browser.browser_type.launch(executable_path=chromium, args=[*ARGUMENTS, *flags])
        opened.append(running)
        context = running.new_context(viewport={"width": size[0], "height": size[1]})
        watched = Watched(context.new_page())
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        watched.page.on("request", lambda sent: watched.requests.append(sent.url))
        watched.page.goto(station.url)
        watched.shows("insert")
        return watched

    yield start
    for one in opened:
        one.close()
    while shots := station.state()["camera"]["shots"]:  # type: ignore[index]
        station.post(f"camera/shots/{shots[0]['id']}/drop")
    station.post("camera/choice", {})
    station.post("camera/close")


def _under_policy(folder: Path, url: str) -> Path:
    """Chromium in a mount namespace of its own, where /etc holds the image's policy for cameras."""
    policy = json.loads(Template(POLICY.read_text()).render(profile={"ui_port": int(url.rsplit(":", 1)[1])}))
    managed = folder / "policies/managed"
    managed.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in policy.items() if name.startswith("VideoCapture")}
    assert kept["VideoCaptureAllowed"] is False
    (managed / "camera.json").write_text(json.dumps(kept))
    Path("/etc/chromium/policies").mkdir(parents=True, exist_ok=True)
    program = folder / "chromium"
    mount = f"mount --bind {shlex.quote(str(folder / 'policies'))} /etc/chromium/policies"
    program.write_text(
        f'#!/bin/sh\nexec unshare --mount sh -c \'{mount} && exec {shutil.which("chromium")} "$@"\' sh "$@"\n'
    )
    program.chmod(0o755)
    return program


def _film(path: Path) -> tuple[str, str]:
    return "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={path}"


def test_a_sheet_that_lies_still_is_taken_cut_out_and_read(
    with_camera: Open, station: Station, tmp_path: Path
) -> None:
    page = render("chinese")
    kiosk = with_camera(*_film(make_film(tmp_path / "film.mjpeg", [page.image])))
    kiosk.press("c")
    kiosk.shows("camera")
    kiosk.page.wait_for_selector("#camera-outline polygon", timeout=60_000, state="attached")
    kiosk.page.wait_for_selector("#shots li img", timeout=60_000)
    kiosk.sees("已拍下第 1 页")
    kiosk.page.wait_for_function("() => document.querySelector('#shots li img').naturalWidth > 0")
    kiosk.picture("camera-zh")
    assert violations(kiosk) == []
    kiosk.press("Enter")
    kiosk.page.wait_for_selector("#lines li", timeout=180_000)
    text = "\n".join(kiosk.page.locator("#lines .words").all_inner_texts())
    assert cer(page.text, text) <= 0.02
    assert station.state()["camera"]["shots"] == []  # type: ignore[index]
    assert kiosk.complaints == []
    assert [url for url in kiosk.requests if not url.startswith(f"{station.url}/")] == []


def test_by_hand_a_page_is_taken_turned_taken_again_and_dropped(
    with_camera: Open, station: Station, tmp_path: Path
) -> None:
    kiosk = with_camera(*_film(make_film(tmp_path / "film.mjpeg", [render("slip").image])), size=(1024, 768))
    station.post("camera/choice", {"by_itself": False})
    kiosk.press("l")
    kiosk.page.wait_for_selector('html[lang="en"]')
    kiosk.press("c")
    kiosk.sees("Press Space, or touch the picture", timeout_s=60)
    kiosk.press("Space")
    kiosk.page.wait_for_selector("#shots li:nth-child(1)", timeout=60_000)
    kiosk.page.locator("#camera-stage").click()
    kiosk.page.wait_for_selector("#shots li:nth-child(2)", timeout=60_000)
    first = station.state()["camera"]["shots"][0]["id"]  # type: ignore[index]
    kiosk.press("Home", "t")
    kiosk.page.wait_for_function(
        "() => { const img = document.querySelector('#shots li img'); return img.naturalHeight > img.naturalWidth }"
    )
    kiosk.press("w")
    kiosk.sees("whole photograph", timeout_s=60)
    kiosk.picture("camera-en")
    assert violations(kiosk) == []
    kiosk.press("g")
    kiosk.sees("Take page 1 again")
    kiosk.press("Space")
    kiosk.page.wait_for_function(
        f"() => !document.querySelector('#shots img').src.includes('{first}')", timeout=60_000
    )
    kiosk.press("End", "Delete")
    kiosk.sees("1 page taken")
    kiosk.page.reload()
    kiosk.shows("camera")
    kiosk.sees("1 page taken")
    kiosk.press("Escape")
    kiosk.shows("insert")


def test_without_a_camera_the_page_says_so_and_what_to_do(with_camera: Open) -> None:
    kiosk = with_camera()
    kiosk.press("c")
    kiosk.sees("没有找到相机", timeout_s=60)
    kiosk.sees("请用 USB 线接上文件相机")
    kiosk.picture("camera-none")
    assert violations(kiosk) == []
    kiosk.press("Escape")
    kiosk.shows("insert")


def test_a_page_that_the_policy_does_not_name_gets_no_camera(with_camera: Open, tmp_path: Path) -> None:
    kiosk = with_camera(*_film(make_film(tmp_path / "film.mjpeg", [render("note").image])), allowed=False)
    kiosk.press("c")
    kiosk.sees("不允许使用相机", timeout_s=60)


def test_a_camera_that_is_pulled_out_is_said_and_used_again(with_camera: Open, tmp_path: Path) -> None:
    """A pretended camera cannot be pulled: its track ends here by the event that a real one's end sends."""
    kiosk = with_camera(*_film(make_film(tmp_path / "film.mjpeg", [render("slip").image])))
    kiosk.press("c")
    kiosk.page.wait_for_selector("#shots li", timeout=60_000)
    kiosk.page.evaluate(
        """() => {
          const track = document.getElementById("camera-video").srcObject.getVideoTracks()[0];
          track.stop();
          track.dispatchEvent(new Event("ended"));
        }"""
    )
    kiosk.sees("相机已断开")
    kiosk.sees("已拍的页面都还在")
    kiosk.page.wait_for_selector("#camera-problem", state="hidden", timeout=60_000)
    kiosk.page.wait_for_selector("#camera-outline polygon", timeout=60_000, state="attached")
    assert kiosk.page.locator("#shots li").count() >= 1
