"""hOCR 1.2 and ALTO 4: text with its places, for archives and the programs that read them.

hOCR: kba/hocr-spec, version 1.2. ALTO: Library of Congress, version 4.4.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from xml.sax.saxutils import quoteattr

from runtime.fields.spans import part_of
from runtime.layout.direction import runs_left
from runtime.outputs.contents import text_lines
from runtime.outputs.pages import FullLine, FullPage
from runtime.outputs.word import without_forbidden
from runtime.results import Quad

_ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
_WORD = re.compile(r"\S+")


def hocr(pages: Sequence[FullPage], version: str) -> str:
    """XHTML; confidence in hundredths, boxes in pixels."""
    body = "\n".join(_hocr_page(number, page) for number, page in enumerate(pages))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title></title>\n'
        '<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>\n'
        f'<meta name="ocr-system" content="inkstick {html.escape(version)}"/>\n'
        '<meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_dir"/>\n'
        f"</head><body>\n{body}\n</body></html>\n"
    )


def _hocr_page(number: int, page: FullPage) -> str:
    areas = []
    for area, (_, found) in enumerate(groupby(_with_words(page), key=lambda line: line.column)):
        lines = list(found)
        name = f"{number + 1}_{area}"
        spans = [(_direction(line), _hocr_line(f"line_{name}_{index}", line)) for index, line in enumerate(lines)]
        paragraphs = "\n".join(
            f'<p class="ocr_par" dir="{direction}">{chr(10).join(span for _, span in run)}</p>'
            for direction, run in groupby(spans, key=itemgetter(0))
        )
        bounds = _bounds(*(line.box for line in lines))
        areas.append(f'<div class="ocr_carea" id="area_{name}" title="bbox {bounds}">{paragraphs}</div>')
    if not page.lines:
        areas += [f'<p class="ocr_par">{html.escape(without_forbidden(text))}</p>' for text in text_lines(page)]
    title = f"bbox 0 0 {page.width} {page.height}; ppageno {number}"
    return f'<div class="ocr_page" id="page_{number + 1}" title="{title}">\n{chr(10).join(areas)}\n</div>'


def _hocr_line(name: str, line: FullLine) -> str:
    words = " ".join(
        f'<span class="ocrx_word" title="bbox {_bounds(box)}; x_wconf {round(100 * line.score)}">'
        f"{html.escape(without_forbidden(word))}</span>"
        for word, box in line_words(line)
    )
    return f'<span class="ocr_line" id="{name}" title="bbox {_bounds(line.box)}">{words}</span>'


def alto(pages: Sequence[FullPage], version: str) -> str:
    """One document of all pages; a block for each column, a String for each word."""
    layout = "\n".join(_alto_page(number, page) for number, page in enumerate(pages, 1))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<alto xmlns="{_ALTO}" SCHEMAVERSION="4.4">\n'
        "<Description><MeasurementUnit>pixel</MeasurementUnit>"
        '<Processing ID="ocr"><processingCategory>contentGeneration</processingCategory>'
        f"<processingSoftware><softwareName>inkstick</softwareName><softwareVersion>{html.escape(version)}"
        "</softwareVersion></processingSoftware></Processing></Description>\n"
        f"<Layout>\n{layout}\n</Layout>\n</alto>\n"
    )


def _alto_page(number: int, page: FullPage) -> str:
    blocks = []
    for index, (_, found) in enumerate(groupby(_with_words(page), key=lambda line: line.column)):
        lines = list(found)
        left, top, right, bottom = limits([line.box for line in lines])
        shown = "\n".join(_alto_line(line) for line in lines)
        blocks.append(
            f'<TextBlock ID="block_{number}_{index}" {_place(left, top, right, bottom)}>\n{shown}\n</TextBlock>'
        )
    if not page.lines:
        shown = "\n".join(_alto_text(text) for text in text_lines(page))
        blocks += [f'<TextBlock ID="block_{number}_0">\n{shown}\n</TextBlock>'] if shown else []
    whole = f'HEIGHT="{page.height}" WIDTH="{page.width}"'
    return (
        f'<Page ID="page_{number}" PHYSICAL_IMG_NR="{number}" {whole}>'
        f'<PrintSpace HPOS="0" VPOS="0" {whole}>\n{chr(10).join(blocks)}\n</PrintSpace></Page>'
    )


def _alto_line(line: FullLine) -> str:
    strings = "<SP/>".join(
        f"<String {_place(*limits([box]))} WC={quoteattr(f'{line.score:.3f}')} "
        f"CONTENT={quoteattr(without_forbidden(word))}/>"
        for word, box in line_words(line)
    )
    return f'<TextLine {_place(*limits([line.box]))} BASEDIRECTION="{_direction(line)}">{strings}</TextLine>'


def _alto_text(text: str) -> str:
    """A line whose place is not known; ALTO does not ask for it."""
    strings = "<SP/>".join(f"<String CONTENT={quoteattr(without_forbidden(word))}/>" for word in text.split())
    return f"<TextLine>{strings}</TextLine>"


def _with_words(page: FullPage) -> list[FullLine]:
    """ALTO allows no line without a word."""
    return [line for line in page.lines if line.text.strip()]


def _direction(line: FullLine) -> str:
    return "rtl" if runs_left(line.text) else "ltr"


def line_words(line: FullLine) -> Iterator[tuple[str, Quad]]:
    for found in _WORD.finditer(line.text):
        yield found[0], part_of(line, found.start(), found.end())


def limits(boxes: Sequence[Quad]) -> tuple[int, int, int, int]:
    xs = [x for box in boxes for x, _ in box]
    ys = [y for box in boxes for _, y in box]
    return round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))


def _bounds(*boxes: Quad) -> str:
    return " ".join(map(str, limits(boxes)))


def _place(left: int, top: int, right: int, bottom: int) -> str:
    return f'HPOS="{left}" VPOS="{top}" WIDTH="{right - left}" HEIGHT="{bottom - top}"'
