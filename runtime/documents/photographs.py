"""A photograph of a sheet: the sheet found in it, cut out, made flat. Runs in the cage.

OpenCV is loaded when a camera is first used, and not before: most stations have none.
"""

from __future__ import annotations

import io
import math

import cv2
import numpy as np
from PIL import Image, ImageDraw

from runtime.config import Limits
from runtime.documents import page_edges
from runtime.documents.decode import guarded_image, upright_rgb
from runtime.documents.page_edges import Picture
from runtime.documents.parts import Corners, Cut

FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY = 92
_SHARP_PX = 1.6
_SHARP_AT = 1920
"""A photograph this wide may be smeared by so many pixels, a wider one by more: print grows with it."""

cv2.setNumThreads(1)  # a caged process has one thread, and the engine the others


def look(data: bytes, limits: Limits) -> Corners | None:
    """Where the sheet lies in a frame; None where none is to be seen. Raises Problem as `decode.inspect`."""
    found = page_edges.find(_pixels(data, limits))
    return None if found is None else found.corners


def cut_out(data: bytes, cut: Cut, clockwise: int, limits: Limits) -> tuple[bytes, Corners | None, bool]:
    """A JPEG of the sheet from straight above, turned by `clockwise` degrees; where it lay; whether it is sharp.

    "whole" takes the photograph as it is; so does "sheet" where no sheet is found, with None for its corners.
    """
    photograph = _pixels(data, limits)
    found = page_edges.find(photograph) if cut == "sheet" else None
    flat = photograph if found is None else page_edges.flattened(photograph, found.corners)
    smeared = page_edges.blur_px(flat)
    most = _SHARP_PX * max(1.0, max(photograph.shape[:2]) / _SHARP_AT)
    picture = Image.fromarray(np.ascontiguousarray(np.rot90(flat, -(clockwise // 90))))
    output = io.BytesIO()
    dots = _dots_per_inch(flat)
    picture.save(output, "JPEG", quality=_QUALITY, dpi=(dots, dots))
    return output.getvalue(), None if found is None else found.corners, smeared is not None and smeared <= most


def rehearse() -> None:
    """Cut a sheet of our own out once: NumPy loads parts of itself when they are first used, and a process that
    has given up its files no longer can."""
    desk = Image.new("RGB", (200, 200), (60, 50, 40))
    sheet = Image.new("L", (140, 120), 250)
    ImageDraw.Draw(sheet).text((20, 50), "rehearsal", fill=0)
    desk.paste(sheet, (30, 40))
    drawn = io.BytesIO()
    desk.save(drawn, "PNG")
    cut_out(drawn.getvalue(), "sheet", 0, Limits())


def _pixels(data: bytes, limits: Limits) -> Picture:
    with guarded_image(data, limits, FORMATS) as image:
        image.load()
        return np.asarray(upright_rgb(image), dtype=np.uint8)


def _dots_per_inch(flat: Picture) -> int:
    """As if the sheet were A4: a camera does not know how far away it is."""
    return max(1, round(math.sqrt(flat.shape[0] * flat.shape[1] / (8.27 * 11.69))))
