"""What a hand-held photograph does to a page: perspective, uneven light, blur, noise, JPEG."""

from __future__ import annotations

import io
import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

_DESK = (96, 84, 74)


def photographed(page: Image.Image, seed: int) -> Image.Image:
    """`page` as a steady hand with a telephone would have it. The same seed, the same bytes."""
    chance = random.Random(seed)
    picture = _in_perspective(page, chance)
    picture = unevenly_lit(picture, chance)
    picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(0.5, 0.9)))
    return as_jpeg(noisy(picture, chance), quality=chance.randint(70, 85))


def _in_perspective(page: Image.Image, chance: random.Random) -> Image.Image:
    """Each corner pulled in by up to 2 % of the page; what shows behind is the desk."""
    width, height = page.size
    corners = [
        (sx * width + (1 - 2 * sx) * width * chance.uniform(0.002, 0.02),
         sy * height + (1 - 2 * sy) * height * chance.uniform(0.002, 0.02))
        for sx, sy in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]  # fmt: skip
    source = [(0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height))]
    return page.transform(
        page.size,
        Image.Transform.PERSPECTIVE,
        perspective(corners, source),
        Image.Resampling.BICUBIC,
        fillcolor=_DESK,
    )


def perspective(seen: list[tuple[float, float]], flat: list[tuple[float, float]]) -> list[float]:
    """Pillow's eight coefficients that take `seen` points to `flat` ones, by Gaussian elimination."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(seen, flat, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for column in range(8):
        pivot = max(range(column, 8), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for row in range(8):
            if row != column:
                factor = rows[row][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [row[8] for row in rows]


def unevenly_lit(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A lamp at one side: down to 60 % of the light at the other."""
    small = Image.linear_gradient("L").rotate(chance.uniform(0, 360), Image.Resampling.BICUBIC, fillcolor=128)
    light = small.crop((40, 40, 216, 216)).resize(picture.size, Image.Resampling.BICUBIC)
    light = light.point(lambda value: 153 + value * 102 // 255)
    return ImageChops.multiply(picture, Image.merge("RGB", (light, light, light)))


def noisy(picture: Image.Image, chance: random.Random) -> Image.Image:
    grain = Image.frombytes("L", (256, 256), chance.randbytes(256 * 256)).point(lambda value: 122 + value // 20)
    sheet = Image.new("L", picture.size)
    for top in range(0, picture.height, 256):
        for left in range(0, picture.width, 256):
            sheet.paste(grain.rotate(chance.choice((0, 90, 180, 270))), (left, top))
    return ImageChops.add(picture, Image.merge("RGB", (sheet, sheet, sheet)), scale=1.0, offset=-128)


def as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=quality)
    return Image.open(io.BytesIO(held.getvalue())).convert("RGB")


def mishandled(page: Image.Image, seed: int) -> Image.Image:
    """`page` stamped over its print, laid askew, half in a hand's shadow, then `photographed`."""
    chance = random.Random(seed + 77)
    picture = _stamped(page, chance)
    picture = picture.rotate(chance.uniform(-3, 3), Image.Resampling.BICUBIC, expand=True, fillcolor=_DESK)
    return photographed(_shadowed(picture, chance), seed)


def _stamped(page: Image.Image, chance: random.Random) -> Image.Image:
    """A round red stamp, thin ink as of rubber: print beneath shows through."""
    radius = round(min(page.size) * 0.16)
    layer = Image.new("RGB", page.size, "white")
    draw = ImageDraw.Draw(layer)
    x = chance.uniform(0.3, 0.8) * page.width
    y = chance.uniform(0.3, 0.75) * page.height
    red = (236, 110, 104)
    for size, width in ((radius, 7), (round(radius * 0.3), 5)):
        draw.ellipse((x - size, y - size, x + size, y + size), outline=red, width=width)
    for step in range(24):
        angle = math.tau * step / 24
        inner, outer = 0.7 * radius, 0.88 * radius
        ends = [(x + r * math.cos(angle), y + r * math.sin(angle)) for r in (inner, outer)]
        draw.line([*ends[0], *ends[1]], fill=red, width=5)
    return ImageChops.multiply(page, layer)


def _shadowed(page: Image.Image, chance: random.Random) -> Image.Image:
    """A soft-edged shadow over one side, down to 55 % of the light."""
    small = Image.new("L", (200, 200), 255)
    edge = chance.uniform(60, 140)
    lean = chance.uniform(-40, 40)
    ImageDraw.Draw(small).polygon([(edge + lean, -10), (210, -10), (210, 210), (edge - lean, 210)], fill=140)
    light = small.filter(ImageFilter.GaussianBlur(6)).resize(page.size, Image.Resampling.BICUBIC)
    return ImageChops.multiply(page, Image.merge("RGB", (light, light, light)))
