"""Bytes from strangers become an upright RGB page, or a problem with a stable code."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from runtime.config import Limits
from runtime.documents.decode import decode, decode_image, inspect
from runtime.problems import (
    DAMAGED_IMAGE,
    EMPTY_FILE,
    FILE_TOO_LARGE,
    NOT_AN_IMAGE,
    TOO_MANY_PIXELS,
    Problem,
    ProblemKind,
)

LIMITS = Limits()


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    held = io.BytesIO()
    image.save(held, form, **options)
    return held.getvalue()


def two_tone(mode: str = "RGB") -> Image.Image:
    """40 x 20: red on the left, blue on the right."""
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (20, 0, 40, 20))
    return image.convert(mode)


def refused(data: bytes, limits: Limits = LIMITS) -> ProblemKind:
    with pytest.raises(Problem) as caught:
        decode(data, limits)
    return caught.value.kind


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
def test_each_promised_format_is_read(form: str) -> None:
    page = decode(saved(two_tone(), form), LIMITS)
    assert (page.width, page.height, len(page.rgb)) == (40, 20, 40 * 20 * 3)
    red, _, blue = page.rgb[:3]
    assert red > 200 and blue < 60


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"])
def test_each_pixel_mode_becomes_rgb(mode: str) -> None:
    form = "TIFF" if mode in ("CMYK", "YCbCr", "LAB", "I;16", "I", "F") else "PNG"
    image = two_tone("L").convert(mode) if mode in ("I;16", "I", "F") else two_tone(mode)
    assert decode_image(saved(image, form), LIMITS).mode == "RGB"


def test_sixteen_bit_grey_keeps_its_tones() -> None:
    image = Image.new("I;16", (2, 1))
    image.putpixel((0, 0), 65535)
    image.putpixel((1, 0), 32768)
    page = decode(saved(image, "PNG"), LIMITS)
    assert page.rgb[0] == 255
    assert abs(page.rgb[3] - 128) <= 1


def test_transparent_paper_is_white() -> None:
    assert decode(saved(Image.new("RGBA", (2, 2), (0, 0, 0, 0))), LIMITS).rgb == b"\xff" * 12


def test_exif_turning_is_followed() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise
    page = decode(saved(two_tone(), "JPEG", exif=exif, quality=95), LIMITS)
    assert (page.width, page.height) == (20, 40)
    assert page.rgb[0] > 200, "what was left is on top"


def test_pages_of_a_tiff_are_counted_and_the_first_is_read() -> None:
    data = saved(Image.new("RGB", (4, 4), "red"), "TIFF", save_all=True, append_images=[two_tone()])
    assert inspect(data, LIMITS).pages == 2
    assert decode(data, LIMITS).width == 4


def test_an_empty_file_is_named_so() -> None:
    assert refused(b"") is EMPTY_FILE


@pytest.mark.parametrize("data", [b"hello", b"%PDF-1.7\n", b"\x00" * 500, b"GIF89a", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_image_is_named_so(data: bytes) -> None:
    assert refused(data) is NOT_AN_IMAGE


def test_a_format_that_was_not_promised_is_not_opened() -> None:
    assert refused(saved(two_tone(), "GIF")) is NOT_AN_IMAGE


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_file_cut_short_never_passes_for_a_page(form: str, kept: float) -> None:
    noise = Image.effect_noise((200, 200), 80).convert("RGB")
    data = saved(noise, form)
    assert refused(data[: int(len(data) * kept)]) in (DAMAGED_IMAGE, NOT_AN_IMAGE)


def test_flipped_bytes_give_a_problem_or_a_page_but_nothing_else() -> None:
    for form in ("JPEG", "PNG", "TIFF", "WEBP", "BMP"):
        good = saved(Image.effect_noise((64, 64), 80).convert("RGB"), form)
        for position in range(0, len(good), max(1, len(good) // 120)):
            bad = bytearray(good)
            bad[position] ^= 0xFF
            try:
                decode(bytes(bad), LIMITS)
            except Problem as problem:
                assert problem.kind.status < 500


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00" * 1_000_000)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    assert refused(bomb) is TOO_MANY_PIXELS


def test_pixels_over_the_limit_are_refused_and_at_the_limit_are_not() -> None:
    data = saved(two_tone())
    assert refused(data, Limits(page_pixels=799)) is TOO_MANY_PIXELS
    assert decode(data, Limits(page_pixels=800)).width == 40


def test_bytes_over_the_limit_are_refused() -> None:
    assert refused(saved(two_tone()), Limits(upload_bytes=10)) is FILE_TOO_LARGE
