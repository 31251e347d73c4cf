"""Makes the pages that the station tests itself with: `python -m tests.pages.golden [FOLDER]`.

`start` is read at every start, also by machines that take a minute for a line: it is two short lines. The
others are read when a test is asked for. They are kept in the repository: the station has no fonts to
make them with, and they must not change with the fonts of whoever builds it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw

from runtime.accuracy.selftest import GOLDEN, START
from tests.pages import fonts
from tests.pages.forms import form_page
from tests.pages.render import render

START_TEXT = "Station 4096 reads\n档案室每天开门"
TABLE = (("Shelf", "Boxes", "Sheets"), ("A 12", "38", "4216"), ("B 7", "19", "985"))


def start_page() -> Image.Image:
    page = Image.new("RGB", (352, 128), (250, 249, 245))
    draw = ImageDraw.Draw(page)
    latin, han = START_TEXT.splitlines()
    draw.text((28, 20), latin, font=fonts.latin(26), fill=(28, 28, 32))
    draw.text((28, 66), han, font=fonts.han(30), fill=(28, 28, 32))
    return page


def table_page() -> Image.Image:
    page = Image.new("RGB", (640, 260), (250, 249, 245))
    draw = ImageDraw.Draw(page)
    for row, cells in enumerate(TABLE):
        for column, text in enumerate(cells):
            left, top = 40 + column * 187, 40 + row * 60
            draw.rectangle((left, top, left + 187, top + 60), outline=(60, 60, 66), width=2)
            draw.text((left + 20, top + 15), text, font=fonts.latin(24), fill=(28, 28, 32))
    return page


def make(folder: Path) -> None:
    """Write every page and its truth."""
    folder.mkdir(parents=True, exist_ok=True)
    _save(start_page(), folder / f"{START}.png")
    (folder / f"{START}.txt").write_text(START_TEXT + "\n", encoding="utf-8")
    for kind in ("english", "chinese"):
        page = render(kind)
        _save(page.image, folder / f"{kind}.png")
        (folder / f"{kind}.txt").write_text(page.text + "\n", encoding="utf-8")
    card = form_page("identity-card", seed=4)
    _save(card.image, folder / "identity-card.png")
    truth = json.dumps(card.fields, ensure_ascii=False, indent=1)
    (folder / "identity-card.json").write_text(truth + "\n", encoding="utf-8")
    _save(table_page(), folder / "table.png")
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in TABLE)
    (folder / "table.html").write_text(f"<table>{rows}</table>\n", encoding="utf-8")


def _save(page: Image.Image, path: Path) -> None:
    """In sixteen greys or colours at most: the pages ride on the image."""
    page.quantize(16, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN)
