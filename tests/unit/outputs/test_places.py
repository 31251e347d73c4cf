"""hOCR and ALTO of several pages, held against their rules and opened by OCRmyPDF's reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from lxml import etree
from ocrmypdf import OcrElement
from ocrmypdf.hocrtransform import HocrParser

from runtime.outputs import layouts
from runtime.outputs.formats import Format, write
from runtime.outputs.pages import FullPage
from runtime.outputs.word import without_forbidden
from runtime.tasks.task import Task
from tests.unit.outputs.test_outputs import HOSTILE, LEFTWARD, page

GRAMMAR = Path(__file__).with_name("alto.rng")
TABLE = "<table><tr><td>Part</td><td>Price</td></tr><tr><td>bolt &amp; nut</td><td>=1.20</td></tr></table>"
ALTO = {"a": "http://www.loc.gov/standards/alto/ns-v4#"}


def in_columns() -> FullPage:
    made = page(["Left one", "left two", "Right one", "right two"])
    placed = [line.model_copy(update={"column": index // 2}) for index, line in enumerate(made.lines)]
    return made.model_copy(update={"lines": tuple(placed)})


def without_places() -> FullPage:
    """A language model's answer: Markdown with a table, and no line."""
    rows = ((("Part", "Price"), ("bolt & nut", "=1.20")),)
    return page([], task=Task.DOCUMENT, text=f"Prices of May\n\n{TABLE}\n\nwithout tax {HOSTILE}", tables=rows)


def all_kinds() -> list[FullPage]:
    blank = page([" ", "printed", "\t"])
    return [page(), in_columns(), page([LEFTWARD, "and on"]), page([]), blank, without_places()]


def alto(pages: list[FullPage]) -> etree._Element:
    return etree.fromstring(layouts.alto(pages, "1.2 & <3>").encode())


def grammar() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(GRAMMAR))


def test_alto_keeps_the_standards_rules_whatever_is_on_the_pages() -> None:
    rules, tree = grammar(), alto(all_kinds())
    assert rules.validate(tree), rules.error_log
    names = tree.xpath("//@ID")
    assert len(set(names)) == len(names)
    assert tree.xpath("//a:Page/@PHYSICAL_IMG_NR", namespaces=ALTO) == list("123456")
    assert tree.findtext(".//a:MeasurementUnit", namespaces=ALTO) == "pixel"


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("//a:TextLine[1]", lambda line: [line.remove(child) for child in list(line)]),
        ("//a:Page[1]", lambda each: each.attrib.pop("PHYSICAL_IMG_NR")),
        ("//a:TextBlock[1]", lambda each: each.attrib.pop("ID")),
        ("//a:String[1]", lambda each: each.set("WC", "1.5")),
        ("//a:String[1]", lambda each: each.set("HPOS", "ten")),
        ("//a:processingSoftware", lambda each: each.insert(0, each[-1])),
        ("//a:MeasurementUnit", lambda each: setattr(each, "text", "inch")),
    ],
)
def test_the_rules_refuse_what_is_no_alto(path: str, change: object) -> None:
    tree = alto(all_kinds())
    assert callable(change)
    change(tree.xpath(path, namespaces=ALTO)[0])
    assert not grammar().validate(tree)


def test_every_place_in_alto_lies_in_what_holds_it() -> None:
    for sheet in alto(all_kinds()).iterfind(".//a:Page", namespaces=ALTO):
        whole = 0.0, 0.0, float(sheet.get("WIDTH", "")), float(sheet.get("HEIGHT", ""))
        for held in sheet.iterfind(".//*[@HPOS]"):
            parent = held.getparent()
            outer = bounds(parent) if parent is not None and parent.get("HPOS") else whole
            left, top, right, bottom = bounds(held)
            assert outer[0] <= left <= right <= outer[2] and outer[1] <= top <= bottom <= outer[3]


def bounds(held: etree._Element) -> tuple[float, float, float, float]:
    left, top, width, height = (float(held.get(name, "")) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT"))
    return left, top, left + width, top + height


def test_alto_tells_columns_and_the_direction_of_lines() -> None:
    tree = alto([in_columns(), page([LEFTWARD, "and on"])])
    blocks = tree.findall(".//a:TextBlock", namespaces=ALTO)
    told = [" ".join(block.xpath(".//a:String/@CONTENT", namespaces=ALTO)) for block in blocks]
    assert told == ["Left one left two", "Right one right two", f"{LEFTWARD} and on"]
    assert tree.xpath("//a:TextLine/@BASEDIRECTION", namespaces=ALTO)[-2:] == ["rtl", "ltr"]


@pytest.mark.parametrize("index", range(6))
def test_hocr_is_opened_by_ocrmypdf(tmp_path: Path, index: int) -> None:
    sheet = all_kinds()[index]
    file = tmp_path / "page.hocr"
    file.write_text(layouts.hocr([sheet], "1.2 & <3>"))
    opened = HocrParser(file).parse()
    assert opened.bbox is not None and (opened.bbox.right, opened.bbox.bottom) == (sheet.width, sheet.height)
    lines = [each for each in within(opened) if each.ocr_class == "ocr_line"]
    wanted = [line for line in sheet.lines if line.text.strip()]
    read = [" ".join((word.text or "").strip() for word in line.children) for line in lines]
    assert [each.split() for each in read] == [without_forbidden(line.text).split() for line in wanted]
    assert [line.direction for line in lines] == ["rtl" if line.text == LEFTWARD else "ltr" for line in wanted]
    for line in lines:
        assert line.bbox is not None and {round(word.confidence or 0, 2) for word in line.children} == {0.9}


def within(element: OcrElement) -> Iterator[OcrElement]:
    yield element
    for child in element.children:
        yield from within(child)


def test_text_without_places_is_in_hocr_alto_and_pdf_all_the_same() -> None:
    pages = [without_places()]
    assert "bolt &amp; nut  =1.20" in layouts.hocr(pages, "0")
    strings = alto(pages).xpath("//a:String/@CONTENT", namespaces=ALTO)
    assert strings[:8] == ["Prices", "of", "May", "Part", "Price", "bolt", "&", "nut"]
    for form in (Format.PDF, Format.PDFA):
        made = pypdfium2.PdfDocument(write(form, pages, lambda _: None, "0").content)
        text = made[0].get_textpage().get_text_range()
        assert "Prices of May" in text and "bolt & nut" in text and "<td>" not in text
