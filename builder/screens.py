"""Chinese on a bare Linux console: fonts and texts of the screens shown before, or instead of, Xorg.

The console draws up to 512 glyphs of one cell each and knows no wide characters. So every Chinese
character that the texts use is drawn two cells wide, cut in halves, and each half gets a private-use
code point of its own; the texts are encoded with those. ASCII stays ASCII. Two sizes are made: 16x32
for framebuffers, 8x16 for VGA text mode and small screens.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from PIL import Image, ImageDraw, ImageFont

GLYPHS = 512
FIRST_PRIVATE = 0xE000
"""Below U+F000: the kernel maps U+F000..U+F1FF to glyph numbers directly."""
COLUMNS = 58
ASCII = "".join(map(chr, range(0x20, 0x7F)))
UNUSED = 0x20
"""Glyphs left blank in front, so that ASCII lies where it does in every font: the kernel clears cells
with glyph number 32, whatever the font's Unicode table says."""
RULE = "─"
DETAIL = "@DETAIL@"
"""The line that the boot script replaces by what it knows: a file, a device."""

_ACCENT, _PLAIN, _FAINT = "\033[31m", "\033[37m", "\033[36m"
_NO_LINE_START = "，。；：！？、）"
_PSF2_MAGIC = 0x864AB572


class ScreenError(ValueError):
    """The texts do not fit the console's fonts."""


@dataclass(frozen=True)
class Glyph:
    """One console cell: a whole narrow character, or the left or right half of a wide one."""

    code_point: int
    character: str
    half: int | None = None


@dataclass(frozen=True)
class Charset:
    """Which glyphs the fonts hold, in order, and how text is encoded with them."""

    glyphs: tuple[Glyph, ...]
    halves: Mapping[str, str]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Charset:
        wide = sorted({char for text in texts for char in text if is_wide(char)})
        glyphs = [Glyph(ord(char), char) for char in ASCII + RULE]
        halves: dict[str, str] = {}
        for index, char in enumerate(wide):
            left = FIRST_PRIVATE + 2 * index
            glyphs += [Glyph(left, char, 0), Glyph(left + 1, char, 1)]
            halves[char] = chr(left) + chr(left + 1)
        over = (UNUSED + len(glyphs) - GLYPHS + 1) // 2
        if over > 0:
            raise ScreenError(f"the stop screens use {over} Chinese characters more than a console font holds")
        return cls(tuple(glyphs), halves)

    def encode(self, text: str) -> str:
        return "".join(self.halves.get(char, char) for char in text)


def is_wide(char: str) -> bool:
    return char not in ASCII + RULE and char not in "\n\033"


def width(text: str) -> int:
    """Console cells that `text` takes."""
    return sum(2 if is_wide(char) else 1 for char in text)


def wrap(text: str, columns: int) -> list[str]:
    """Break at spaces and between Chinese characters, but not before closing punctuation."""
    lines, line = [], ""
    for piece in _unbreakable(text):
        if line and width(line + piece.rstrip()) > columns:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()]


def _unbreakable(text: str) -> Iterator[str]:
    piece = ""
    for index, char in enumerate(text):
        piece += char
        following = text[index + 1 : index + 2]
        if following and following in _NO_LINE_START:
            continue
        if char == " " or is_wide(char) or (following and is_wide(following)):
            yield piece
            piece = ""
    if piece:
        yield piece


def compose_notice(messages: Mapping[str, Any], name: str) -> list[str]:
    """A quiet screen, shown while the station starts or checks; with a line for how far it is, where there is one."""
    text = messages["notices"][name]
    lines = [*_heading(messages), *wrap(text["zh"], COLUMNS), *wrap(text["en"], COLUMNS)]
    return [*lines, "", DETAIL] if text.get("progress") else lines


def compose_stop(messages: Mapping[str, Any], code: str) -> list[str]:
    """The screen of a refusal: the code, then cause and remedy in Chinese and in English, then the keys."""
    labels = messages["labels"]
    lines = _heading(messages)
    lines += [f"{_ACCENT}{labels['stopped']['zh']}  {labels['stopped']['en']}  {code}{_PLAIN}", DETAIL, ""]
    for language, gap in (("zh", "  "), ("en", "  ")):
        indent = max(width(labels[part][language]) for part in ("cause", "remedy")) + len(gap)
        for part in ("cause", "remedy"):
            label = labels[part][language]
            head = f"{_FAINT}{label}{_PLAIN}" + " " * (indent - width(label))
            for text in wrap(messages["stopped"][code][language][part], COLUMNS - indent):
                lines.append(head + text)
                head = " " * indent
        lines.append("")
    lines.append(_FAINT + RULE * COLUMNS + _PLAIN)
    return [*lines, labels["keys"]["zh"], labels["keys"]["en"]]


def _heading(messages: Mapping[str, Any]) -> list[str]:
    product = messages["product"]
    left, right = product["zh"], product["en"]
    gap = " " * (COLUMNS - width(left) - width(right))
    return [left + gap + right, _FAINT + RULE * COLUMNS + _PLAIN, ""]


def draw(glyph: Glyph, font: ImageFont.FreeTypeFont, cell_width: int, cell_height: int) -> bytes:
    """The glyph's bitmap: rows of whole bytes, leftmost pixel in the highest bit."""
    if glyph.character == RULE:
        image = Image.new("1", (cell_width, cell_height))
        ImageDraw.Draw(image).line([(0, cell_height // 2), (cell_width, cell_height // 2)], fill=1)
        return image.tobytes()
    cells = 1 if glyph.half is None else 2
    grey = Image.new("L", (cell_width * cells, cell_height))
    baseline = round(cell_height * 0.82)
    middle = cell_width * cells / 2
    ImageDraw.Draw(grey).text((middle, baseline), glyph.character, font=font, fill=255, anchor="ms")
    left = cell_width * (glyph.half or 0)
    cell = grey.crop((left, 0, left + cell_width, cell_height))
    return cell.point(lambda level: 255 if level > 112 else 0).convert("1", dither=Image.Dither.NONE).tobytes()


def psf2(charset: Charset, font: ImageFont.FreeTypeFont, cell_width: int, cell_height: int) -> bytes:
    """A PC Screen Font, version 2, with its Unicode table; 512 glyphs, those not needed blank."""
    size = (cell_width + 7) // 8 * cell_height
    bitmaps = [draw(glyph, font, cell_width, cell_height) for glyph in charset.glyphs]
    blanks = GLYPHS - UNUSED - len(bitmaps)
    header = struct.pack("<8I", _PSF2_MAGIC, 0, 32, 1, GLYPHS, size, cell_height, cell_width)
    table = b"".join(chr(glyph.code_point).encode() + b"\xff" for glyph in charset.glyphs)
    drawn = bytes(size * UNUSED) + b"".join(bitmaps) + bytes(size * blanks)
    return header + drawn + b"\xff" * UNUSED + table + b"\xff" * blanks


def monospaced_chinese(font: Path, pixels: int) -> ImageFont.FreeTypeFont:
    """The simplified Chinese face of a font collection, preferring one with half-width Latin letters."""
    faces: list[ImageFont.FreeTypeFont] = []
    while True:
        try:
            faces.append(ImageFont.truetype(str(font), pixels, index=len(faces)))
        except OSError:
            break
    for wanted in ("Mono CJK SC", "CJK SC", ""):
        for face in faces:
            if wanted in (face.getname()[0] or ""):
                return face
    raise ScreenError(f"{font} holds no font")


def render_stop_screens(messages: Path, font: Path, out: Path) -> None:
    """Write font-16x32.psf, font-8x16.psf and one encoded NAME.txt for each screen into `out`."""
    texts = yaml.safe_load(messages.read_text(encoding="utf-8"))
    screens = {name: compose_notice(texts, name) for name in texts["notices"]}
    screens |= {code: compose_stop(texts, code) for code in texts["stopped"]}
    charset = Charset.of(line for lines in screens.values() for line in lines)
    out.mkdir(parents=True, exist_ok=True)
    for cell_width, cell_height, pixels in ((16, 32, 28), (8, 16, 15)):
        face = monospaced_chinese(font, pixels)
        (out / f"font-{cell_width}x{cell_height}.psf").write_bytes(psf2(charset, face, cell_width, cell_height))
    for name, lines in screens.items():
        (out / f"{name}.txt").write_text("".join(charset.encode(line) + "\n" for line in lines), encoding="utf-8")
