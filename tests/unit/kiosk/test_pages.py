from __future__ import annotations

import io

import pytest
from PIL import Image

from runtime.config import Limits
from runtime.documents.pictures import SIDES, picture
from runtime.gateway.recognition import Recognised
from runtime.kiosk.corrections import corrected_text
from runtime.kiosk.documents import Document
from runtime.kiosk.pages import Page, Status, shown_name
from runtime.problems import BAD_REQUEST, DAMAGED_IMAGE, Problem
from tests.unit.kiosk.stub_reader import page_result


def page(*words: str, text: str | None = None) -> Page:
    result = page_result(words)
    if text is not None:
        result = result.model_copy(update={"text": text})
    return Page(Document("扫描 1.png", "stick", "扫描 1.png"), status=Status.READ, recognised=Recognised(result))


@pytest.mark.parametrize(
    ("text", "corrections", "expected"),
    [
        ("a\nb\n\nc", {}, "a\nb\n\nc"),
        ("a\nb\n\nc", {1: "B"}, "a\nB\n\nc"),
        ("a\nb\n\nc", {0: "", 2: "C"}, "b\n\nC"),
        ("a b c", {1: "x"}, "a x c"),
        ("reordered", {0: "A", 1: ""}, "A\nc"),
    ],
)
def test_corrections_keep_paragraphs_and_columns_apart(text: str, corrections: dict[int, str], expected: str) -> None:
    result = page_result(("a", "b", "c")).model_copy(update={"text": text})
    assert corrected_text(result, corrections) == expected


def test_of_two_lines_alike_only_the_corrected_one_changes() -> None:
    assert corrected_text(page_result(("12", "12", "12")), {1: "21"}) == "12\n21\n12"


def test_taking_a_correction_back_leaves_the_page_as_it_was_read() -> None:
    one = page("a", "b")
    one.edit("line:0", "x")
    one.edit("line:0", "a")
    assert one.corrections == {}
    assert one.text() == "a\nb"


@pytest.mark.parametrize(("line", "text"), [(2, "x"), (-1, "x"), (0, "two\nlines"), (0, "x" * 5000)])
def test_a_correction_that_does_not_fit_is_refused(line: int, text: str) -> None:
    with pytest.raises(Problem) as caught:
        page("a", "b").edit(f"line:{line}", text)
    assert caught.value.kind is BAD_REQUEST


def test_old_chinese_names_are_shown_as_they_were_meant() -> None:
    assert shown_name("发票.png") == "发票.png"
    assert shown_name("发票.png".encode("gb18030").decode("utf-8", "surrogateescape")) == "发票.png"


def jpeg(size: tuple[int, int], orientation: int = 1) -> bytes:
    output = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size, "white").save(output, "JPEG", exif=exif)
    return output.getvalue()


def shape(picture: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(picture)).size


def test_pictures_are_small_and_stand_as_the_boxes_lie() -> None:
    limits = Limits()
    assert shape(picture(jpeg((4000, 2000)), "preview", limits)) == (1800, 900)
    assert shape(picture(jpeg((4000, 2000), orientation=6), "preview", limits)) == (900, 1800)
    assert shape(picture(jpeg((400, 200)), "preview", limits, clockwise=90)) == (200, 400)
    assert max(shape(picture(jpeg((4000, 2000)), "thumbnail", limits))) <= SIDES["thumbnail"]


def test_a_quarter_turn_is_clockwise() -> None:
    image = Image.new("L", (40, 20), "white")
    image.paste(0, (0, 0, 10, 20))  # dark on the left; clockwise it comes to the top
    output = io.BytesIO()
    image.save(output, "PNG")
    turned = Image.open(io.BytesIO(picture(output.getvalue(), "preview", Limits(), clockwise=90))).convert("L")
    assert turned.getpixel((10, 3)) < 60  # type: ignore[operator]
    assert turned.getpixel((10, 36)) > 200  # type: ignore[operator]


def test_half_an_image_is_damaged_not_a_picture() -> None:
    with pytest.raises(Problem) as caught:
        picture(jpeg((2000, 2000))[:3000], "thumbnail", Limits())
    assert caught.value.kind is DAMAGED_IMAGE
