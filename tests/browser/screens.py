"""Pictures of every screen, in both languages and two sizes, into docs/screens with a page that shows them.

    python3 -m tests.browser.screens [FOLDER]

Lossy WebP: some hundred pictures that are looked at, not measured.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserType, sync_playwright

from runtime.kiosk import catalogue
from tests.browser import station as stations
from tests.browser.conftest import ARGUMENTS, Watched, watching
from tests.browser.film import make_film
from tests.browser.station import ROOT, Station
from tests.browser.tour import LANGUAGES, WALKS, speak
from tests.pages.render import render

FOLDER = ROOT / "docs" / "screens"
SIZES = ((1024, 768), (1920, 1080))
PORTRAIT = (1080, 1920)
_IN_PORTRAIT = ("insert", "list", "review")
_BY_HAND = "dialog-"  # opened without what leads to it: half empty
_QUALITY = 45
# The pretended camera is called by its file's path.
_NAME_OF_THE_CAMERA = """for (const kind of [MediaStreamTrack, MediaDeviceInfo])
  Object.defineProperty(kind.prototype, "label", { get: () => "USB Document Camera" });"""
# What a list or a dialog scrolls may be out of view, but not above where it begins; what nothing scrolls may not.
OUTSIDE = """() => [...document.querySelectorAll("header button, .actions button, main h1, dialog[open] h1")]
  .filter((each) => each.offsetParent !== null)
  .filter((each) => {
    const { left, top, right, bottom } = each.getBoundingClientRect();
    for (let at = each.parentElement; at; at = at.parentElement)
      if (/auto|scroll/.test(getComputedStyle(at).overflowY) && at.scrollHeight > at.clientHeight)
        return top < at.getBoundingClientRect().top - at.scrollTop - 1;
    return left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1;
  })
  .map((each) => each.textContent.trim())"""


@dataclass
class Taken:
    """File names by what is shown; of a picture, the buttons and headings that are not wholly in the window."""

    folder: Path
    names: dict[str, list[str]] = field(default_factory=dict)
    overflowing: dict[str, list[str]] = field(default_factory=dict)

    def take(self, kiosk: Watched, name: str, language: str, size: tuple[int, int]) -> None:
        page = kiosk.page
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
        page.wait_for_timeout(400)  # the picture of a page follows with the next frames
        if name == "camera":  # as long as the sheet moves, its outline is behind
            kiosk.sees(catalogue.messages(language)["camera.next"].format(count=1), timeout_s=60)
        file = f"{name}-{language}-{size[0]}.webp"
        if outside := page.evaluate(OUTSIDE):
            self.overflowing[file] = outside
        with Image.open(io.BytesIO(page.screenshot())) as shot:
            shot.convert("RGB").save(self.folder / file, "WEBP", quality=_QUALITY, method=6)
        self.names.setdefault(name, []).append(file)


@contextmanager
def with_camera(folder: Path, chromium: BrowserType) -> Iterator[Browser]:
    """A browser whose camera sees a page that lies still."""
    film = make_film(folder / "film.mjpeg", [render("chinese").image], still_s=12)
    pretended = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    running = chromium.launch(
        executable_path=shutil.which("chromium"),
        args=[*ARGUMENTS, *pretended, f"--use-file-for-fake-video-capture={film}"],
    )
    yield running
    running.close()


def take_all(browser: Browser, station: Station, folder: Path) -> Taken:
    """Pictures that were there before are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.webp"):
        old.unlink()
    taken = Taken(folder)
    for walk in WALKS.values():
        station.rest()
        with watching(station, browser, SIZES[0], expected=".*") as kiosk:
            kiosk.page.add_init_script(_NAME_OF_THE_CAMERA)
            kiosk.page.reload()
            for name in walk(kiosk, station):
                if name.removeprefix("admin-").startswith(_BY_HAND) and name not in _ASKED:
                    continue
                _take_each(taken, kiosk, station, name)
    (folder / "README.md").write_text(index(taken), encoding="utf-8")
    return taken


_ASKED = {"dialog-keys", "dialog-view"}


def _take_each(taken: Taken, kiosk: Watched, station: Station, name: str) -> None:
    for language in LANGUAGES:
        speak(kiosk, station, language)
        for size in (*SIZES, *([PORTRAIT] if name in _IN_PORTRAIT else [])):
            taken.take(kiosk, name, language, size)
    speak(kiosk, station, LANGUAGES[0])
    kiosk.page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})


def index(taken: Taken) -> str:
    """The page that shows them: small ones in a row, each of them a way to the picture itself."""
    rows = [
        "# Every screen",
        "",
        "Made by `python3 -m tests.browser.screens`, which the full test run does as well: Chinese and English, "
        "1024 by 768 and 1920 by 1080, some in portrait.",
    ]
    for name, files in taken.names.items():
        rows += ["", f"## {name}", ""]
        rows += [" ".join(f'<a href="{file}"><img src="{file}" width="240" alt="{file[:-5]}"></a>' for file in files)]
    return "\n".join(rows) + "\n"


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else FOLDER
    with tempfile.TemporaryDirectory(prefix="inkstick-screens-") as room, sync_playwright() as playwright:
        running = stations.start(Path(room))
        try:
            with with_camera(Path(room), playwright.chromium) as browser:
                taken = take_all(browser, running, folder)
        finally:
            stations.stop(running)
    count = sum(len(files) for files in taken.names.values())
    size = sum(file.stat().st_size for file in folder.glob("*.webp"))
    for file, outside in taken.overflowing.items():
        print(f"{file}: not in the window: {', '.join(outside)}")
    print(f"{count} pictures of {len(taken.names)} screens, {size / 1e6:.1f} MB, in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
