"""The fonts that test pages are set in: found through fontconfig, else where Debian puts them."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

from PIL import ImageFont

_DEBIAN = Path("/usr/share/fonts")
_LATIN = ("DejaVu Serif:style=Book", "truetype/dejavu/DejaVuSerif.ttf", "fonts-dejavu-core")
_MONO = ("DejaVu Sans Mono:style=Book", "truetype/dejavu/DejaVuSansMono.ttf", "fonts-dejavu-core")
_SANS = ("DejaVu Sans:style=Book", "truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core")
_HAN = ("Noto Sans CJK SC:style=Regular", "opentype/noto/NotoSansCJK-Regular.ttc", "fonts-noto-cjk")

NOTO = {
    "latin": "",
    "russian": "",
    "greek": "",
    "arabic": "Arabic",
    "hebrew": "Hebrew",
    "thai": "Thai",
    "hindi": "Devanagari",
    "georgian": "Georgian",
    "tamil": "Tamil",
}


class FontMissing(Exception):
    """A font is not installed; the message names the Debian package."""


def latin(size_px: int) -> ImageFont.FreeTypeFont:
    """DejaVu Serif."""
    return ImageFont.truetype(_find(*_LATIN), size_px)


def mono(size_px: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans Mono."""
    return ImageFont.truetype(_find(*_MONO), size_px)


def sans(size_px: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which has Hebrew and its digits in one face."""
    return ImageFont.truetype(_find(*_SANS), size_px)


def han(size_px: int) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK with Simplified Chinese forms."""
    return noto_cjk("SC", size_px)


def noto_cjk(forms: str, size_px: int) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK with the forms of "SC", "TC", "JP" or "KR"."""
    path = _find(*_HAN)
    for index in range(10):  # a .ttc holds the Japanese, Korean and Chinese faces
        font = ImageFont.truetype(path, size_px, index=index)
        if (font.getname()[0] or "").endswith(forms):
            return font
    raise FontMissing(f"{path} has no face {forms}")


def noto(script: str, size_px: int) -> ImageFont.FreeTypeFont:
    """Noto Sans with the signs of one of NOTO's scripts."""
    name = NOTO[script]
    return ImageFont.truetype(
        _find(f"Noto Sans {name}".strip(), f"truetype/noto/NotoSans{name}-Regular.ttf", "fonts-noto-core"), size_px
    )


@cache
def _find(pattern: str, debian_path: str, package: str) -> Path:
    if shutil.which("fc-match"):
        answer = subprocess.run(
            ["fc-match", "--format=%{family}\n%{file}", pattern], capture_output=True, text=True, check=False
        )
        family, _, found = answer.stdout.partition("\n")
        # fc-match always answers something; only the family that was asked for will do.
        if pattern.partition(":")[0] in family and Path(found).is_file():
            return Path(found)
    fallback = _DEBIAN / debian_path
    if fallback.is_file():
        return fallback
    raise FontMissing(f"the font {pattern.partition(':')[0]} is not installed: apt-get install {package}")
