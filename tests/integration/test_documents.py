"""Documents of every kind are opened in a cage; whatever is wrong with one is said, and the next is opened."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image

from runtime.config import Limits
from runtime.documents.cage import Cage, TextPage
from runtime.documents.decode import PixelPage
from runtime.documents.parts import Region
from runtime.problems import Problem
from tests.pages.hostile import built, encoded, heic, mutated, originals, text_pdf, zipped
from tests.pages.render import render

T = TypeVar("T")
WORDS = ["The records office opens at nine", "in the morning and closes at five.", "Every parcel is weighed twice."]


@pytest.fixture(scope="module")
def cage() -> Iterator[Cage]:
    held = Cage(Limits(decode_s=10, archive_bytes=64 << 20))
    yield held
    held.close()


def wait(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def pixels(cage: Cage, data: bytes, page: int = 0, region: Region | None = None) -> Image.Image:
    shown = wait(cage.render(data, page, region=region))
    assert isinstance(shown, PixelPage)
    return Image.frombytes("RGB", (shown.width, shown.height), shown.rgb)


def refusal(cage: Cage, data: bytes, page: int = 0) -> str:
    """The problem's code; "" if the file is opened after all."""

    async def attempt() -> None:
        await cage.describe(data)
        await cage.render(data, page)

    try:
        wait(attempt())
    except Problem as problem:
        return problem.kind.code
    return ""


@pytest.mark.parametrize(
    ("name", "form", "pages"),
    [("png", "PNG", 1), ("jpeg-cmyk", "JPEG", 1), ("tiff", "TIFF", 3), ("webp", "WEBP", 1), ("gif", "GIF", 1),
     ("bmp", "BMP", 1), ("heic", "HEIF", 1), ("pdf", "PDF", 3), ("zip", "ZIP", 2), ("png-16-bit", "PNG", 1)],
)  # fmt: skip
def test_every_kind_is_opened_and_its_pages_counted(cage: Cage, name: str, form: str, pages: int) -> None:
    data = originals()[name]
    described = wait(cage.describe(data))
    assert (described.format, len(described.pages)) == (form, pages)
    for page in range(pages):
        assert min(pixels(cage, data, page).size) >= 64


def test_heic_gives_the_picture_that_went_in(cage: Cage) -> None:
    picture = Image.new("RGB", (64, 48), (200, 30, 40))
    seen = pixels(cage, heic(picture)).getpixel((30, 20))
    assert isinstance(seen, tuple) and all(abs(a - b) < 12 for a, b in zip(seen, (200, 30, 40), strict=True))


def test_pages_of_a_tiff_are_told_apart(cage: Cage) -> None:
    sheets = [Image.new("RGB", (40, 40), colour) for colour in ("red", "lime", "blue")]
    data = encoded(sheets[0], "TIFF", save_all=True, append_images=sheets[1:])
    assert [pixels(cage, data, page).getpixel((5, 5)) for page in range(3)] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


def test_exif_turns_and_alpha_lies_on_white(cage: Cage) -> None:
    wide = Image.new("RGB", (60, 30), "white")
    exif = Image.Exif()
    exif[274] = 6
    assert pixels(cage, encoded(wide, "JPEG", exif=exif)).size == (30, 60)
    assert pixels(cage, encoded(Image.new("RGBA", (9, 9), (0, 0, 0, 0)), "PNG")).getpixel((4, 4)) == (255, 255, 255)


def test_a_region_alone_is_rendered(cage: Cage) -> None:
    sheet = Image.new("RGB", (100, 100), "white")
    sheet.paste("red", (50, 0, 100, 50))
    corner = pixels(cage, encoded(sheet, "PNG"), region=Region(left=500, right=1000, top=0, bottom=500))
    assert corner.size == (50, 50) and corner.getcolors() == [(2500, (255, 0, 0))]


def test_a_born_digital_pdf_gives_its_own_text_where_it_is_printed(cage: Cage) -> None:
    page = wait(cage.render(text_pdf(WORDS), 0, take_text=True))
    assert isinstance(page, TextPage)
    assert [line.text for line in page.lines] == WORDS
    left, top = page.lines[0].box[0]
    scale = page.width / 595
    assert abs(left - 60 * scale) < 5 and abs(top - 66 * scale) < 12


@pytest.mark.parametrize(
    "data", [encoded(render("english").image, "PDF"), text_pdf(["x"]), text_pdf(["\x01\x02" * 20])]
)
def test_a_scan_or_poor_text_is_given_as_pixels(cage: Cage, data: bytes) -> None:
    assert isinstance(wait(cage.render(data, 0, take_text=True)), PixelPage)


def test_a_pdf_is_rendered_at_the_stated_dots_per_inch(cage: Cage) -> None:
    assert pixels(cage, text_pdf(WORDS)).size == (1653, 2339)


def test_a_zips_pages_come_in_the_order_of_their_numbers_and_strays_are_named(cage: Cage) -> None:
    sheet = encoded(Image.new("L", (30, 30)), "PNG")
    described = wait(
        cage.describe(zipped({"p10.png": sheet, "p2.png": sheet, "p1.png": sheet, "notes.txt": b"hello"}))
    )
    assert [page.source for page in described.pages] == ["p1.png", "p2.png", "p10.png"]
    assert described.skipped == (("notes.txt", "not-an-image"),)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nothing", "empty-file"),
        ("text", "not-an-image"),
        ("svg", "not-an-image"),
        ("postscript", "not-an-image"),
        ("png bomb", "too-many-pixels"),
        ("gif huge", "damaged-image"),
        ("zip bomb", "archive-bomb"),
        ("zip of many", "archive-bomb"),
        ("zip of zips", "empty-archive"),
        ("zip empty", "empty-archive"),
        ("zip of clutter", "empty-archive"),
        ("pdf nested", "damaged-document"),
        ("pdf many pages", "too-many-pages"),
        ("pdf endless", "too-many-pixels"),
    ],
)
def test_what_is_built_to_hurt_is_refused_by_its_name(cage: Cage, name: str, code: str) -> None:
    assert refusal(cage, built()[name]) == code


def test_a_page_that_is_not_there_is_said(cage: Cage) -> None:
    for name in ("png", "tiff", "pdf", "zip"):
        assert refusal(cage, originals()[name], 99) == "no-such-page", name


def test_a_locked_pdf_is_said_to_be_locked(cage: Cage) -> None:
    locked = text_pdf(WORDS).replace(
        b"/Root 1 0 R", b"/Root 1 0 R /ID [(0123456789abcdef)(0)] /Encrypt << /Filter /Standard /V 1 /R 2 "
        b"/P -4 /O (" + b"o" * 32 + b") /U (" + b"u" * 32 + b") >>"
    )  # fmt: skip
    assert refusal(cage, locked) == "locked-document"


def test_three_hundred_broken_files_get_a_clear_answer_each_and_break_nothing(cage: Cage) -> None:
    corpus = [*mutated(300, seed=20261122), *built().items()]
    answers = {name: refusal(cage, data) for name, data in corpus}
    assert len(answers) >= 300
    crashed = [name for name, code in answers.items() if code in ("decoder-crashed", "internal-error")]
    assert crashed == []
    assert len(set(answers.values())) >= 8
    assert pixels(cage, originals()["png"]).size == (400, 224)


def test_pictures_for_the_screen_come_out_of_the_cage(cage: Cage) -> None:
    sheet = Image.new("RGB", (3000, 1500), "white")
    sheet.paste("black", (0, 0, 300, 1500))
    for data in (encoded(sheet, "JPEG"), encoded(sheet, "PNG"), heic(sheet)):
        shown = Image.open(io.BytesIO(wait(cage.picture(data, "preview", 90)))).convert("L")
        assert shown.size == (900, 1800) and shown.getpixel((450, 20)) < 60  # type: ignore[operator]
        assert max(Image.open(io.BytesIO(wait(cage.picture(data, "thumbnail")))).size) == 112
    for name, code in (("png bomb", "too-many-pixels"), ("text", "not-an-image"), ("nothing", "empty-file")):
        with pytest.raises(Problem) as caught:
            wait(cage.picture(built()[name], "thumbnail"))
        assert caught.value.kind.code == code


def test_described_pages_tell_their_pixels(cage: Cage) -> None:
    for name in ("png", "tiff", "pdf", "heic"):
        data = originals()[name]
        for place, page in enumerate(wait(cage.describe(data)).pages):
            width, height = pixels(cage, data, place).size
            assert abs(page.pixels / (width * height) - 1) < 0.01, name


def test_the_cage_has_no_files_and_little_memory(tmp_path: Path) -> None:
    small = Cage(Limits(decode_memory_bytes=160 << 20, decode_s=10))
    try:
        assert refusal(small, encoded(Image.new("RGB", (7000, 7000)), "PNG")) == "document-too-costly"
        assert refusal(small, encoded(Image.new("RGB", (70, 70)), "PNG")) == ""
    finally:
        small.close()


def test_a_killed_standby_process_is_started_again(cage: Cage) -> None:
    assert refusal(cage, originals()["png"]) == ""
    process = cage.standby.process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert refusal(cage, originals()["png"]) == ""


@pytest.mark.parametrize("stands_by", [True, False])
@pytest.mark.parametrize("large", [True, False])
def test_an_image_is_described_and_then_opened_in_one_go(stands_by: bool, large: bool) -> None:
    noise = Image.effect_noise((1300, 1000) if large else (30, 20), 64).convert("RGB")
    with opening_cage(stands_by) as held:

        async def trial() -> tuple[str, bytes]:
            described, opening = await held.open(encoded(noise, "PNG"))
            assert opening is not None
            page = await opening
            assert page is not None
            return described.format, page.rgb

        assert wait(trial()) == ("PNG", noise.tobytes())


@pytest.mark.parametrize("stands_by", [True, False])
def test_what_has_pages_or_is_broken_is_described_alone(stands_by: bool) -> None:
    cut_off = originals()["png"][:80]
    with opening_cage(stands_by) as held:
        described, opening = wait(held.open(originals()["pdf"]))
        assert described.format == "PDF" and opening is None
        for data, code in ((b"", "empty-file"), (b"no picture", "not-an-image"), (cut_off, "damaged-image")):
            if stands_by:
                held.standby.make_ready()

            async def attempt(data: bytes = data) -> None:
                _, opening = await held.open(data)
                assert opening is not None, "it has one page"
                await opening

            with pytest.raises(Problem) as caught:
                wait(attempt())
            assert caught.value.kind.code == code


def test_a_decoder_that_is_killed_at_its_work_is_said() -> None:
    with opening_cage(stands_by=True) as held:
        (decoder,) = decoders(held)
        os.kill(decoder, signal.SIGSTOP)  # it has its file, and will not come to read it

        async def trial() -> None:
            opening = asyncio.create_task(held.open(originals()["png"]))
            while held.standby.has_spare:
                await asyncio.sleep(0.01)
            os.kill(decoder, signal.SIGKILL)
            with pytest.raises(Problem) as caught:
                await opening
            assert caught.value.kind.code == "decoder-crashed"

        wait(trial())


@contextmanager
def opening_cage(stands_by: bool) -> Iterator[Cage]:
    held = Cage(Limits(decode_s=60))
    try:
        if stands_by:
            held.standby.make_ready()
            until(lambda: len(decoders(held)) == 1, "no decoder stands by")
        yield held
    finally:
        held.close()


def test_a_decoder_ends_when_nobody_waits_and_a_large_one_at_once() -> None:
    """The kernel takes a process down on a core that the engine could read with."""
    held = Cage(Limits(decode_s=60), busy=lambda: True)
    try:
        pixels(held, encoded(Image.new("RGB", (40, 40)), "PNG"))
        (decoder,) = decoders(held)
        pixels(held, encoded(Image.new("RGB", (50, 50)), "PNG"))
        until(lambda: decoder not in decoders(held), "the next document did not let it go")
        (decoder,) = decoders(held)
        held.standby.make_ready()
        until(lambda: decoder not in decoders(held), "it did not go when nobody waited")
        pixels(held, encoded(Image.new("RGB", (7000, 7000)), "PNG"))
        until(lambda: not decoders(held), "its memory was kept")
    finally:
        held.close()


def decoders(cage: Cage) -> set[int]:
    """Decoders that stand by, work, or wait for their end."""
    assert cage.standby.process is not None
    return {
        entry
        for entry in map(int, filter(str.isdigit, os.listdir("/proc")))
        if _parent(entry) == cage.standby.process.pid
    }


def _parent(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended
        return 0


def until(reached: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, why
        time.sleep(0.01)


def test_closing_leaves_no_process() -> None:
    held = Cage(Limits())
    assert refusal(held, originals()["png"]) == ""
    process = held.standby.process
    assert process is not None
    held.close()
    assert process.poll() is not None
