"""The text of pages on A4 paper, as PDF: each page's begins on a new sheet, under its name.

The font is that of the station's screen; what it lacks is taken from others, where the machine has them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.outputs.word import without_forbidden

_FONTS = Path("/usr/share/fonts")
_CJK = (_FONTS / "opentype/noto/NotoSansCJK-Regular.ttc", 2)
"""The collection, and where simplified Chinese stands in it."""
_OTHERS = (
    "truetype/dejavu/DejaVuSans.ttf",
    *(f"truetype/noto/NotoSans{script}-Regular.ttf" for script in ("Arabic", "Hebrew", "Thai", "Devanagari")),
)
_JOINED = re.compile("[\u0590-\u10ff]")
"""Hebrew and Arabic to the scripts of South Asia: signs that run leftwards or change their shape."""
_MARGIN_MM, _LINE_MM, _POINTS = 20.0, 6.2, 11.0
_SMALL_LINE_MM, _SMALL_POINTS = 5.0, 9.0
_GREY = 110


@dataclass(frozen=True)
class Text:
    """What a page is called, and what stands on it."""

    title: str
    text: str


def on_paper(pages: Sequence[Text]) -> bytes:
    """Raises FileNotFoundError where the station's font is not."""
    from fpdf import FPDF

    class Paper(FPDF):
        title_now = ""

        def header(self) -> None:
            self._small(self.title_now, "L")
            self.ln(_SMALL_LINE_MM)

        def footer(self) -> None:
            self.set_y(-_MARGIN_MM + _SMALL_LINE_MM)
            self._small(f"{self.page_no()} / {{nb}}", "R")

        def _small(self, text: str, align: str) -> None:
            self.set_text_color(_GREY)
            self.set_font("station", size=_SMALL_POINTS)
            self.multi_cell(0, _SMALL_LINE_MM, text, align=align)
            self.set_text_color(0)
            self.set_font("station", size=_POINTS)

    paper = Paper(format="A4")
    paper.set_margins(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    paper.set_auto_page_break(True, _MARGIN_MM)
    file, number = _CJK
    paper.add_font("station", fname=file, collection_font_number=number)
    others = [place for name in _OTHERS if (place := _FONTS / name).exists()]
    for place in others:
        paper.add_font(place.stem.lower(), fname=place)
    paper.set_fallback_fonts([place.stem.lower() for place in others], exact_match=False)
    for page in pages:
        text = without_forbidden(page.text).expandtabs(4)
        paper.set_text_shaping(_JOINED.search(text) is not None)
        paper.title_now = without_forbidden(page.title)
        paper.add_page()
        paper.multi_cell(0, _LINE_MM, text or " ", align="L")
    return bytes(paper.output())
