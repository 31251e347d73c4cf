"""Test pages with known text: `render("english", faults=True, seed=1)`.

A clone alone must be able to prove that the station reads, so the pages are made here. The same
kind, faults and seed give the same page, as long as fonts and Pillow stay the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from tests.pages import fonts
from tests.pages.faults import photographed

_INK = (28, 28, 32)
_PAPER = (250, 249, 245)

ENGLISH = """The records office opens at nine in the morning and closes at five.
Every parcel that comes through the gate is weighed twice, once on
the platform scale and once on the bench, and both figures are
written down before anybody signs. In 1987 the ledger for one week
alone ran to 4,216 lines; today the same hall handles 38,500 in a
quiet month. Visitors should bring form B-12, a second copy of the
invoice, and a pencil, because ink is not allowed near the shelves."""

CHINESE = """档案室每天上午九点开门，下午五点关门。
所有经过大门的包裹都要称重两次，
一次用地磅，一次用台秤，
两个数字都要在签字之前写下来。
一九八七年，一个星期的账簿就有4216行，
如今同一个大厅每月处理38500件。
来访者请携带登记表和发票副本。"""

NOTE = """Store room key: hook 17.
Return it before 18:30 daily.
Spare lamp oil is on shelf 4."""

NOTICE = """仓库钥匙挂在十七号钩。
每天六点半之前归还。
备用灯油在四号架上。"""

_LEFT = """A river does not hurry, and yet it
reaches the sea before the road
does. The old surveyors knew this
and drew their maps by water, not
by stone. They walked the banks
with chains of sixty-six feet, and
at each bend they set a stake and
wrote its number in a small book
bound in green cloth."""

_RIGHT = """Those books still exist. Nineteen
of them stand on a shelf in the
county hall, between the tax rolls
and the register of mills. Nobody
had opened them for a century
when a clerk, looking for a deed,
found that every stake was listed
with the name of the farmer who
had agreed to guard it."""

_TITLE = "Stakes Along the River"

_GAZETTE = (
    (
        "Water",
        """The reservoir stood at
ninety per cent on the
first of the month. No
limits on gardens are
planned before July.""",
    ),
    (
        "Roads",
        """Mill Lane is closed to
lorries until the bridge
has been tested. Buses
go by way of the old
market and the school.""",
    ),
    (
        "Trees",
        """Forty limes are to be
planted along the quay.
Whoever wants to give
one may write a name
on the list at the hall.""",
    ),
)
_GAZETTE_TITLE = "Town Gazette, Number 214"
_GAZETTE_TABLE = (
    ("Office", "Opens", "Closes", "Telephone"),
    ("Records", "09:00", "17:00", "555-0134"),
    ("Rates", "08:30", "12:30", "555-0172"),
    ("Harbour", "06:00", "22:00", "555-0188"),
)

SLIP = (
    ("姓名", "林晓雯"),
    ("性别", "女"),
    ("出生日期", "1990年5月17日"),
    ("住址", "江州市南湖区青石路28号"),
    ("证件号码", "320581199005170024"),
    ("签发机关", "江州市公安局"),
)
"""Invented: no such person, city or number."""


@dataclass(frozen=True)
class RenderedPage:
    """`image`: RGB. `text`: the truth, one printed line a line, columns one after the other."""

    image: Image.Image
    text: str


def render(kind: str, *, faults: bool = False, seed: int = 0) -> RenderedPage:
    """One of KINDS; `faults` gives it a photograph's. Raises KeyError for a kind that does not exist."""
    page = KINDS[kind]()
    return RenderedPage(photographed(page.image, seed), page.text) if faults else page


def turned(page: RenderedPage, clockwise: int) -> RenderedPage:
    """The page as it lies on a careless scanner, turned by 90, 180 or 270 degrees clockwise."""
    return RenderedPage(page.image.rotate(-clockwise, expand=True), page.text)


def askew(page: RenderedPage, clockwise: float) -> RenderedPage:
    """The page laid on a scanner's glass by hand: turned by a few degrees, with its corners kept."""
    picture = page.image.rotate(-clockwise, Image.Resampling.BICUBIC, expand=True, fillcolor=_PAPER)
    return RenderedPage(picture, page.text)


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), _PAPER)
    return image, ImageDraw.Draw(image)


def _write(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, font: ImageFont.FreeTypeFont, leading: int
) -> None:
    for number, line in enumerate(text.splitlines()):
        draw.text((at[0], at[1] + number * leading), line, font=font, fill=_INK)


def _english() -> RenderedPage:
    image, draw = _sheet(1000, 560)
    _write(draw, (70, 70), ENGLISH, fonts.latin(25), 56)
    return RenderedPage(image, ENGLISH)


def _chinese() -> RenderedPage:
    image, draw = _sheet(900, 600)
    _write(draw, (70, 60), CHINESE, fonts.han(36), 68)
    return RenderedPage(image, CHINESE)


def _note() -> RenderedPage:
    """A scrap of paper, quickly read: for machines that are interpreted."""
    image, draw = _sheet(480, 192)
    _write(draw, (36, 34), NOTE, fonts.latin(24), 44)
    return RenderedPage(image, NOTE)


def _notice() -> RenderedPage:
    image, draw = _sheet(480, 192)
    _write(draw, (36, 30), NOTICE, fonts.han(30), 46)
    return RenderedPage(image, NOTICE)


def _columns() -> RenderedPage:
    image, draw = _sheet(1100, 640)
    draw.text((70, 40), _TITLE, font=fonts.latin(56), fill=_INK)
    _write(draw, (70, 150), _LEFT, fonts.latin(24), 48)
    _write(draw, (580, 150), _RIGHT, fonts.latin(24), 48)
    return RenderedPage(image, "\n\n".join((_TITLE, _LEFT, _RIGHT)))


def _gazette() -> RenderedPage:
    """A title, three columns with headings of their own, and a ruled table across the foot."""
    image, draw = _sheet(1240, 900)
    draw.text((70, 40), _GAZETTE_TITLE, font=fonts.latin(54), fill=_INK)
    for number, (heading, text) in enumerate(_GAZETTE):
        left = 70 + number * 390
        draw.text((left, 150), heading, font=fonts.latin(34), fill=_INK)
        _write(draw, (left, 220), text, fonts.latin(24), 44)
    for row, cells in enumerate(_GAZETTE_TABLE):
        top = 520 + row * 70
        for column, cell in enumerate(cells):
            draw.rectangle((70 + column * 275, top, 345 + column * 275, top + 70), outline=_INK, width=2)
            draw.text((90 + column * 275, top + 18), cell, font=fonts.latin(24), fill=_INK)
    parts = (_GAZETTE_TITLE, *(f"{heading}\n{text}" for heading, text in _GAZETTE))
    return RenderedPage(image, "\n\n".join((*parts, "\n".join("  ".join(row) for row in _GAZETTE_TABLE))))


def _slip() -> RenderedPage:
    image, draw = _sheet(900, 560)
    draw.rounded_rectangle((20, 20, 880, 540), 24, outline=(120, 140, 170), width=3)
    for number, (name, value) in enumerate(SLIP):
        top = 60 + number * 78
        draw.text((70, top), name, font=fonts.han(30), fill=(60, 90, 140))
        draw.text((270, top - 2), value, font=fonts.han(34), fill=_INK)
    return RenderedPage(image, "\n".join(f"{name} {value}" for name, value in SLIP))


def _vertical() -> RenderedPage:
    """Chinese set in columns from top to bottom: an upright page whose lines stand."""
    lines = CHINESE.replace("，", "").replace("。", "").splitlines()[:5]
    image, draw = _sheet(620, 900)
    for number, line in enumerate(lines):
        for place, sign in enumerate(line):
            draw.text((520 - number * 100, 60 + place * 46), sign, font=fonts.han(40), fill=_INK)
    return RenderedPage(image, "\n".join(lines))


KINDS: dict[str, Callable[[], RenderedPage]] = {
    "english": _english,
    "chinese": _chinese,
    "note": _note,
    "notice": _notice,
    "columns": _columns,
    "gazette": _gazette,
    "slip": _slip,
    "vertical": _vertical,
}
"""`vertical` is there for its geometry; the CPU engine does not claim to read vertical writing in order."""
