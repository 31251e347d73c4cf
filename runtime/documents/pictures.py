"""Small JPEGs for the screen: a thumbnail in the list, a page beside its text. Made in the cage."""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image

from runtime.config import Limits
from runtime.documents import opening
from runtime.documents.decode import guarded_image, upright_rgb
from runtime.documents.images import FORMATS, turn_to
from runtime.documents.signatures import Kind as Signature
from runtime.documents.signatures import kind_of

Kind = Literal["thumbnail", "card", "reduced", "preview"]
SIDES: dict[Kind, int] = {"thumbnail": 112, "card": 420, "reduced": 900, "preview": 1800}
"""At most so many pixels wide and high."""
_QUALITY: dict[Kind, int] = {"thumbnail": 70, "card": 75, "reduced": 60, "preview": 82}
_TURN = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


def picture(data: bytes, kind: Kind, limits: Limits, clockwise: int = 0, page: int = 0, password: str = "") -> bytes:
    """Page number `page`, from 0, upright by its EXIF and then turned by `clockwise` degrees: as its boxes lie.

    Raises Problem as documents.decode does.
    """
    data, page = opening.within(data, page, limits)
    side = SIDES[kind]
    if kind_of(data) is Signature.PDF:
        from runtime.documents import pdf

        small = pdf.picture(data, page, side, password)
    else:
        small = _small(data, page, side, limits)
    if clockwise in _TURN:
        small = small.transpose(_TURN[clockwise])
    output = io.BytesIO()
    small.save(output, "JPEG", quality=_QUALITY[kind])
    return output.getvalue()


def _small(data: bytes, page: int, side: int, limits: Limits) -> Image.Image:
    with guarded_image(data, limits, FORMATS) as image:
        if page:
            turn_to(image, page, limits)
        elif image.format == "JPEG":
            image.draft("RGB", (side, side))  # unpacked at a half, a quarter or an eighth: many times faster
        image.load()
        small = upright_rgb(image)
        small.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return small
