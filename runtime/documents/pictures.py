"""Small JPEGs for the screen: a thumbnail in the list, a page beside its text. Made in the cage."""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image

from runtime.config import Limits
from runtime.documents.decode import guarded_image, upright_rgb
from runtime.documents.images import FORMAT_NAMES, FORMATS
from runtime.documents.signatures import Kind as Signature
from runtime.documents.signatures import kind_of
from runtime.problems import NOT_AN_IMAGE, Problem

Kind = Literal["thumbnail", "preview"]
SIDES: dict[Kind, int] = {"thumbnail": 112, "preview": 1800}
"""At most so many pixels wide and high."""
_QUALITY: dict[Kind, int] = {"thumbnail": 70, "preview": 82}
_TURN = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


def picture(data: bytes, kind: Kind, limits: Limits, clockwise: int = 0) -> bytes:
    """The first page, upright by its EXIF and then turned by `clockwise` degrees: as its boxes lie.

    Raises Problem as documents.decode does.
    """
    side = SIDES[kind]
    if data and kind_of(data) in (Signature.UNKNOWN, Signature.PDF, Signature.ZIP):
        raise Problem(NOT_AN_IMAGE, f"Show {FORMAT_NAMES}.")
    with guarded_image(data, limits, FORMATS) as image:
        if image.format == "JPEG":
            image.draft("RGB", (side, side))  # unpacked at a half, a quarter or an eighth: many times faster
        image.load()
        small = upright_rgb(image)
        small.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    if clockwise in _TURN:
        small = small.transpose(_TURN[clockwise])
    output = io.BytesIO()
    small.save(output, "JPEG", quality=_QUALITY[kind])
    return output.getvalue()
