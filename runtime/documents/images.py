"""Image files of one page or many, as pages: TIFF's pages, an animation's first frame, HEIC's pictures.

HEIC needs Pillow's plug-in from pi_heif, which the process around this has registered.
"""

from __future__ import annotations

from PIL import Image

from runtime.config import Limits
from runtime.documents.decode import BROKEN, guarded_image, upright_rgb
from runtime.documents.parts import Region
from runtime.documents.refusals import NO_SUCH_PAGE
from runtime.problems import Problem

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "HEIF", "AVIF", "MPO")
FORMAT_NAMES = "JPEG, PNG, TIFF, WebP, BMP, GIF, HEIC"
_PAGED = ("TIFF", "HEIF")
"""Formats whose pictures are pages; those of an animation are one page in motion, the first is read."""


def sizes(data: bytes, limits: Limits) -> tuple[str, list[int]]:
    """The format's name and the pixels of each of its pages. Raises Problem as `decode.inspect` does."""
    with guarded_image(data, limits, FORMATS) as image:
        name = "JPEG" if image.format == "MPO" else image.format or ""
        count = int(getattr(image, "n_frames", 1)) if name in _PAGED else 1
        first = image.width * image.height
        if not 1 < count <= limits.document_pages:
            return name, [first] * count
        return name, [first, *(_pixels_of(image, page, limits) for page in range(1, count))]


def _pixels_of(image: Image.Image, page: int, limits: Limits) -> int:
    """A damaged page counts as a large one; it is refused when its turn comes."""
    try:
        image.seek(page)
    except BROKEN:
        return limits.page_pixels
    return image.width * image.height


def render(data: bytes, page: int, limits: Limits, region: Region | None) -> Image.Image:
    """Picture number `page`, from 0: upright by EXIF, on white, eight bits a channel of RGB."""
    with guarded_image(data, limits, FORMATS) as image:
        if page:
            turn_to(image, page, limits)
        image.load()
        upright = upright_rgb(image)
        if region is not None:
            upright = upright.crop(pixels_of(region, upright.width, upright.height))
        return upright


def turn_to(image: Image.Image, page: int, limits: Limits) -> None:
    """To picture number `page`, from 0. Raises Problem NO_SUCH_PAGE, and Pillow's own error for a bomb."""
    try:
        image.seek(page)
    except EOFError:
        raise Problem(NO_SUCH_PAGE, f"It has {getattr(image, 'n_frames', 1)} pages.") from None
    if image.width * image.height > limits.page_pixels:
        raise Image.DecompressionBombError


def pixels_of(region: Region, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom in pixels; at least one pixel each way."""
    left, top = region.left * width // 1000, region.top * height // 1000
    return left, top, max(left + 1, region.right * width // 1000), max(top + 1, region.bottom * height // 1000)
