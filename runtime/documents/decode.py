"""From a file's bytes to one upright RGB page, safely.

The bytes come from strangers. Only five formats are opened at all; the header is judged, pixels
included, before anything is unpacked; every way in which Pillow can fail becomes a Problem.
"""

from __future__ import annotations

import io
import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from runtime.config import Limits
from runtime.documents.pixels import Pixels
from runtime.problems import (
    DAMAGED_IMAGE,
    EMPTY_FILE,
    FILE_TOO_LARGE,
    NOT_AN_IMAGE,
    TOO_MANY_PIXELS,
    Problem,
)

log = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP")
_FORMAT_NAMES = "JPEG, PNG, TIFF, WebP or BMP"
_SMALLEST_SIDE = 1

BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    AttributeError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow's plugins have been seen to raise on damaged files: they promise no narrower family."""

ImageFile.LOAD_TRUNCATED_IMAGES = False  # half a page must not pass for a page


@dataclass(frozen=True)
class Facts:
    """What a file's header says. `width` and `height` are pixels as stored, before EXIF turning."""

    format: str
    width: int
    height: int
    pages: int


@dataclass(frozen=True)
class PixelPage:
    """One page. `pixels`: width * height * 3 bytes of RGB, row by row from the top left."""

    width: int
    height: int
    pixels: Pixels

    @property
    def rgb(self) -> bytes:
        """A copy of the pixels."""
        return bytes(self.pixels)


def inspect(data: bytes, limits: Limits) -> Facts:
    """Judge a file by its header alone, in milliseconds.

    Raises Problem: EMPTY_FILE, FILE_TOO_LARGE, NOT_AN_IMAGE, DAMAGED_IMAGE or TOO_MANY_PIXELS.
    """
    with guarded_image(data, limits) as image:
        return Facts(
            format=image.format or "",
            width=image.width,
            height=image.height,
            pages=int(getattr(image, "n_frames", 1)),
        )


def decode(data: bytes, limits: Limits) -> PixelPage:
    """The first page of a file, turned as its EXIF says, on white where it is transparent.

    Raises Problem as `inspect` does. Takes up to some eight bytes of memory per pixel.
    """
    image = decode_image(data, limits)
    return PixelPage(image.width, image.height, Pixels.of(image.tobytes()))


def decode_image(data: bytes, limits: Limits) -> Image.Image:
    """As `decode`, as a Pillow image of mode RGB."""
    with guarded_image(data, limits) as image:
        image.load()
        return upright_rgb(image)


def upright_rgb(image: Image.Image) -> Image.Image:
    """A loaded image turned as its EXIF data say, on white, as RGB of eight bits."""
    return _rgb(_turned_by_exif(image))


@contextmanager
def guarded_image(data: bytes, limits: Limits, formats: tuple[str, ...] = FORMATS) -> Iterator[Image.Image]:
    """The file opened, its header judged; whatever Pillow raises while it is open becomes a Problem."""
    if not data:
        raise Problem(EMPTY_FILE, "The file holds no bytes. Copy or scan it again.")
    if len(data) > limits.upload_bytes:
        raise Problem(FILE_TOO_LARGE, f"The limit is {limits.upload_bytes} bytes.")
    try:
        with warnings.catch_warnings():
            # Pillow only warns up to twice its own limit; ours is checked below, on the header.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=formats) as image:
                _check_size(image, limits)
                yield image
    except UnidentifiedImageError:
        raise Problem(NOT_AN_IMAGE, f"Send a {_FORMAT_NAMES} file.") from None
    except Image.DecompressionBombError:
        raise _too_many_pixels(limits) from None
    except BROKEN as error:
        log.info("image refused: %s", type(error).__name__)
        raise Problem(DAMAGED_IMAGE, "Copy or scan the page again.") from error


def _check_size(image: Image.Image, limits: Limits) -> None:
    if image.width * image.height > limits.page_pixels:
        raise _too_many_pixels(limits)
    if min(image.size) < _SMALLEST_SIDE:
        raise Problem(DAMAGED_IMAGE, "The image has no pixels.")


def _too_many_pixels(limits: Limits) -> Problem:
    return Problem(TOO_MANY_PIXELS, f"The limit is {limits.page_pixels} pixels. Scan with fewer dots per inch.")


def _turned_by_exif(image: Image.Image) -> Image.Image:
    try:
        ImageOps.exif_transpose(image, in_place=True)  # otherwise it copies even what lies right
    except BROKEN:  # broken EXIF data beside a good picture; the engine turns pages by their text
        log.info("EXIF data ignored")
    return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I", "F"):
        return _eight_bit(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return _on_white(image.convert("RGBA"))
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Sixteen bits a pixel to eight: Pillow's own conversion clips everything over 255 to white."""
    grey = image.convert("F") if image.mode != "F" else image
    extrema = grey.getextrema()
    darkest, lightest = float(extrema[0]), float(extrema[1])  # type: ignore[arg-type]
    full_scale = image.mode != "F" and lightest > 255
    low, high = (0.0, 65535.0) if full_scale else (min(0.0, darkest), max(255.0, lightest))
    scale = 255.0 / (high - low)
    return grey.point(lambda value: value * scale + (-low * scale)).convert("L")


def _on_white(image: Image.Image) -> Image.Image:
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper
