"""A film for Chromium's pretended camera: a sheet is pushed into place, and then lies still."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageChops

from tests.pages.desks import on_desk

FRAMES_A_SECOND = 30
"""Chromium plays a file of JPEGs at this speed, over and over."""


def make_film(
    path: Path, pages: list[Image.Image], *, size: tuple[int, int] = (1600, 1200), still_s: int = 12
) -> Path:
    """Motion JPEG: each page in turn moves for a second, then lies still."""
    with path.open("wb") as film:
        for number, page in enumerate(pages):
            photograph = on_desk(page, 31 + number, size, "wood").image
            for step in range(FRAMES_A_SECOND, 0, -1):
                film.write(_jpeg(ImageChops.offset(photograph, 14 * step, 5 * step)))
            film.write(_jpeg(photograph) * (FRAMES_A_SECOND * still_s))
    return path


def _jpeg(picture: Image.Image) -> bytes:
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=88)
    return held.getvalue()
