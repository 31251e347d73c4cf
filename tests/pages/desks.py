"""Pages as a document camera over a desk sees them: on wood, cloth or stone, slanted, among other things.

Everything is drawn from a seed; the corners are known to a fraction of a pixel.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from tests.pages.faults import as_jpeg, noisy, perspective, unevenly_lit

Point = tuple[float, float]
Colour = tuple[int, int, int]
_NOTE = (228, 226, 220)
GROUNDS = ("wood", "dark", "grey", "cloth", "light", "cluttered")


@dataclass(frozen=True)
class Photograph:
    """`corners`: the page's, in pixels, clockwise from its own top left."""

    image: Image.Image
    corners: tuple[Point, Point, Point, Point]
    ground: str


def on_desk(
    page: Image.Image, seed: int, size: tuple[int, int] = (1280, 960), ground: str | None = None
) -> Photograph:
    """The same seed, the same picture. `page` is shown whole; its long side takes half the frame or more."""
    chance = random.Random(seed)
    ground = ground or GROUNDS[seed % len(GROUNDS)]
    desk = _desk(ground, size, chance)
    corners = _corners(page.size, size, chance)
    picture = _laid(desk, page, corners, chance)
    picture = unevenly_lit(picture, chance)
    picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(0.4, 1.0)))
    return Photograph(as_jpeg(noisy(picture, chance), chance.randint(70, 88)), corners, ground)


def _corners(page: tuple[int, int], size: tuple[int, int], chance: random.Random) -> tuple[Point, Point, Point, Point]:
    """Turned by up to 25 degrees, seen up to a few degrees from the side, wholly within the frame."""
    while True:
        scale = chance.uniform(0.5, 0.9) * min(size[0] / page[0], size[1] / page[1])
        half = (page[0] * scale / 2, page[1] * scale / 2)
        angle = math.radians(chance.uniform(-25, 25))
        centre = (size[0] * chance.uniform(0.4, 0.6), size[1] * chance.uniform(0.4, 0.6))
        pull = [chance.uniform(-0.06, 0.06) for _ in range(8)]
        found = []
        for number, (x, y) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1))):
            across = half[0] * (x + pull[2 * number])
            down = half[1] * (y + pull[2 * number + 1])
            found.append(
                (
                    centre[0] + across * math.cos(angle) - down * math.sin(angle),
                    centre[1] + across * math.sin(angle) + down * math.cos(angle),
                )
            )
        margin = 0.012 * size[0]
        if all(margin < x < size[0] - margin and margin < y < size[1] - margin for x, y in found):
            return found[0], found[1], found[2], found[3]


def _laid(
    desk: Image.Image, page: Image.Image, corners: tuple[Point, Point, Point, Point], chance: random.Random
) -> Image.Image:
    """The page in perspective on the desk, with the thin shadow of a sheet that lies flat."""
    flat = [(0.0, 0.0), (float(page.width), 0.0), (float(page.width), float(page.height)), (0.0, float(page.height))]
    coefficients = perspective(list(corners), flat)
    seen = page.transform(desk.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    mask = _polygon(desk.size, list(corners))
    away = (chance.uniform(-5, 5), chance.uniform(1, 6))
    shadow = _polygon(desk.size, [(x + away[0], y + away[1]) for x, y in corners])
    shadow = shadow.filter(ImageFilter.GaussianBlur(3)).point(lambda value: 255 - value * 5 // 16)
    dimmed = ImageChops.multiply(desk, Image.merge("RGB", (shadow,) * 3))
    return Image.composite(seen, dimmed, mask)


def _polygon(size: tuple[int, int], corners: list[Point]) -> Image.Image:
    """Drawn four times as large, so that its edge is smooth."""
    large = Image.new("L", (size[0] * 4, size[1] * 4))
    ImageDraw.Draw(large).polygon([(x * 4, y * 4) for x, y in corners], fill=255)
    return large.resize(size, Image.Resampling.BOX)


def _desk(ground: str, size: tuple[int, int], chance: random.Random) -> Image.Image:
    if ground == "wood":
        return _wood(size, chance)
    if ground == "cloth":
        return _cloth(size, chance)
    if ground == "cluttered":
        return _cluttered(_wood(size, chance), chance)
    tones: dict[str, Colour] = {"dark": (38, 40, 46), "grey": (128, 130, 128), "light": (196, 192, 184)}
    return _speckled(tones[ground], size, chance)


def _field(size: tuple[int, int], cells: tuple[int, int], chance: random.Random) -> npt.NDArray[np.float32]:
    """Smooth noise from 0 to 1 with so many cells across and down."""
    small = Image.frombytes("L", cells, chance.randbytes(cells[0] * cells[1]))
    field: npt.NDArray[np.float32] = np.asarray(small.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    return field / np.float32(255)


def _coloured(tone: npt.NDArray[np.float32], colour: Colour, other: Colour) -> Image.Image:
    mixed = tone[..., None] * np.array(colour, np.float32) + (1 - tone[..., None]) * np.array(other, np.float32)
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8), "RGB")


def _wood(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """Grain along the desk, with the joints of its boards."""
    slow, fine = _field(size, (3, 40), chance), _field(size, (12, 320), chance)
    tone = 0.6 * slow + 0.4 * fine
    dark = chance.uniform(0.6, 1.1)
    board: Colour = (round(176 * dark), round(126 * dark), round(80 * dark))
    picture = _coloured(tone, board, (round(board[0] * 0.66), round(board[1] * 0.62), round(board[2] * 0.58)))
    draw = ImageDraw.Draw(picture)
    for number in range(1, chance.randint(2, 4)):
        height = size[1] * number // 4 + chance.randint(-40, 40)
        draw.line((0, height, size[0], height + chance.randint(-6, 6)), fill=(58, 40, 26), width=3)
    return picture


def _cloth(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """A checked table cloth: straight lines everywhere that are no page."""
    step = chance.randint(60, 110)
    across, down = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    turned = math.radians(chance.uniform(-20, 20))
    along = across * math.cos(turned) + down * math.sin(turned)
    over = down * math.cos(turned) - across * math.sin(turned)
    tone = ((along // step) % 2 * 0.5 + (over // step) % 2 * 0.5).astype(np.float32)
    colour: Colour = chance.choice(((70, 110, 90), (150, 64, 60), (64, 84, 140)))
    return _coloured(
        tone, colour, (round(colour[0] * 0.6 + 70), round(colour[1] * 0.6 + 70), round(colour[2] * 0.6 + 70))
    )


def _speckled(colour: Colour, size: tuple[int, int], chance: random.Random) -> Image.Image:
    tone = 0.5 * _field(size, (5, 4), chance) + 0.5 * _field(size, (size[0] // 5, size[1] // 5), chance)
    return _coloured(
        tone, (colour[0] + 14, colour[1] + 14, colour[2] + 14), (colour[0] - 14, colour[1] - 14, colour[2] - 14)
    )


def _cluttered(desk: Image.Image, chance: random.Random) -> Image.Image:
    """Pens, a note, a book's corner along the rim of the desk: some of them white as the page."""
    draw = ImageDraw.Draw(desk)
    width, height = desk.size
    for _ in range(3):
        x, y = chance.uniform(0, width), chance.choice((0.04, 0.95)) * height
        angle, length = chance.uniform(-0.6, 0.6), chance.uniform(140, 260)
        end = (x + length * math.cos(angle), y + length * math.sin(angle))
        draw.line((x, y, *end), fill=chance.choice(((20, 30, 90), (180, 30, 30), (24, 24, 24))), width=12)
    side = chance.choice((0, 1))
    left = -60 if side == 0 else width - 120
    draw.polygon([(left, 60), (left + 190, 30), (left + 200, 230), (left + 20, 250)], fill=(240, 232, 150))
    draw.polygon(
        [(left - 30, height - 250), (left + 170, height - 230), (left + 150, height + 20), (left - 40, height + 20)],
        fill=_NOTE,
    )
    return desk
