"""Every output, opened by a program that others wrote."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path

import docx
import httpx
import openpyxl
import pikepdf
import pikepdf.pdfa
import pypdfium2
import pytest
from lxml import etree
from PIL import Image

from runtime.fields.reading import Field, Fields
from runtime.fields.verdicts import failed
from runtime.outputs import layouts, plain, searchable_pdf, spreadsheet, word
from runtime.outputs.archival_pdf import NotMade, archival_pdf
from runtime.outputs.labels import Labels
from runtime.outputs.pages import FullLine, FullPage
from runtime.results import EngineInfo, Quad
from runtime.tasks.task import Task
from tests.pages.hostile import originals
from tests.unit.jobs.test_job_routes import ended, files, run
from tests.unit.runtime.stub_engine import StubEngine
from tests.unit.runtime.test_api import upload

HOSTILE = '<script>alert(1)</script> & "quotes" ]]> \x00\x08 =1+1'
TEXTS = ["发票号码 12345678", "Total due: 1,234.50 €", HOSTILE, "𠮷野家 café"]


FORM = ("=HYPERLINK(1)", "000123")


def quad(left: float, top: float, right: float, bottom: float) -> Quad:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def page(texts: list[str] = TEXTS, *, form: Fields | None = None, **more: object) -> FullPage:
    lines = tuple(
        FullLine(text=text, box=quad(100, 100 * n, 900, 100 * n + 40), score=0.9, box_1000=(100, 0, 900, 1000))
        for n, text in enumerate(texts, 1)
    )
    base = FullPage(text="\n".join(texts), lines=lines, width=1000, height=600, rotation=0,
                    engine=EngineInfo(name="stub", version="1"), elapsed_s=0, form=form)  # fmt: skip
    return base.model_copy(update=more)


@pytest.fixture
def form() -> Fields:
    doubtful = Field(key="卡号", value="=HYPERLINK(1)", box=quad(100, 100, 900, 140), box_1000=(1, 1, 2, 2), score=0.5,
                     checks=(failed("card-number", "The check digit does not fit."),))  # fmt: skip
    sure = Field(key="编号", value="000123", box=None, box_1000=None, score=1.0)
    return Fields(form="bank-card", fields=(doubtful, sure))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data


def test_text_parts_pages_by_form_feeds() -> None:
    assert plain.text([page(["a"]), page(["b"])]) == "a\n\fb\n"


def test_html_holds_the_text_and_nothing_that_runs(form: Fields) -> None:
    table = '<table onclick="a()"><tr><td colspan="2">1</td></tr><script>b()</script></table>'
    model = page(task=Task.DOCUMENT, text=f"# x\n{table}<img src=x onerror=c()>")
    tags = _Tags()
    tags.feed(plain.html_document([page(form=form), model]))
    assert not tags.seen & {"script", "img", "iframe", "object", "a", "link"}
    assert not {name for name in tags.attributes if name.startswith("on")}
    assert {"table", "td"} <= tags.seen and "colspan" in tags.attributes
    for text in (TEXTS[0], "<script>alert(1)</script>", "卡号", "=HYPERLINK(1)"):
        assert text in tags.words


def test_markdown_shows_signs_as_they_were_printed(form: Fields) -> None:
    shown = plain.markdown([page(["# no heading", "1. no list", "a*b_c|d", "- dash"], form=form)])
    assert "\\# no heading" in shown and "1\\. no list" in shown and "a\\*b\\_c\\|d" in shown and "\\- dash" in shown
    assert "| 卡号 | =HYPERLINK(1) | fail |" in shown
    assert plain.markdown([page(task=Task.DOCUMENT, text="# heading")]) == "# heading\n"


def test_csv_is_read_back_and_no_cell_is_a_formula(form: Fields) -> None:
    rows = list(csv.reader(io.StringIO(plain.comma_separated([page(form=form), page()]).removeprefix("\ufeff"))))
    assert rows[1] == ["1", "bank-card", "卡号", "'=HYPERLINK(1)", "0.50", "fail"]
    assert rows[2][3] == "000123"
    assert [row[3] for row in rows[3:]] == TEXTS
    assert plain.harmless("-3.50") == "-3.50" and plain.harmless("-3+cmd") == "'-3+cmd"


def test_csv_of_tables_is_the_tables_and_of_text_without_places_its_lines() -> None:
    tables = ((("a", "b"), ("=1+1", "2")), (("c",),))
    made = plain.comma_separated([page(["text"]), page([], tables=tables)]).removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(made))) == [["a", "b"], ["'=1+1", "2"], [], ["c"], []]
    made = plain.comma_separated([page([], text="first\n\nsecond")]).removeprefix("\ufeff")
    assert [row[3] for row in csv.reader(io.StringIO(made))] == ["value", "first", "second"]


def test_docx_is_opened_by_python_docx(form: Fields) -> None:
    table = ((("a", "b"), ("1", "2")),)
    made = docx.Document(io.BytesIO(word.document([page(form=form), page(["second"], tables=table)])))
    shown = "\n".join(paragraph.text for paragraph in made.paragraphs)
    assert TEXTS[0] in shown and TEXTS[3] in shown and "<script>alert(1)</script>" in shown and "second" in shown
    assert [cell.text for cell in made.tables[0].rows[0].cells] == ["卡号", "=HYPERLINK(1)", "fail"]
    assert [cell.text for cell in made.tables[1].rows[1].cells] == ["1", "2"]


def test_a_models_table_stands_in_docx_where_it_stood_and_no_markup_does() -> None:
    rows = ((("1", "2"),),)
    text = "before\n\n<table><tr><td>1</td><td>2</td></tr></table>\n\nafter"
    for answer in (text, text.replace("</table>\n\nafter", "")):
        made = docx.Document(io.BytesIO(word.document([page([], task=Task.DOCUMENT, text=answer, tables=rows)])))
        order = [each.tag.rpartition("}")[2] for each in made.element.body]
        assert order[:2] == ["p", "tbl"] and len(made.tables) == 1
        assert [cell.text for cell in made.tables[0].rows[0].cells] == ["1", "2"]
        assert not any("<" in paragraph.text for paragraph in made.paragraphs)


def test_a_documents_headings_are_headings_in_docx_and_a_pages_number_signs_are_not() -> None:
    answer = "# 年度报告\n\nfirst\n## Part two ##\nsecond\n\n#not one"
    made = docx.Document(io.BytesIO(word.document([page([], task=Task.DOCUMENT, text=answer)])))
    shown = [(paragraph.style.name if paragraph.style else "", paragraph.text) for paragraph in made.paragraphs]
    assert shown[0] == ("Heading 1", "年度报告") and shown[2] == ("Heading 2", "Part two")
    assert [text for _, text in shown[1::2]] == ["first", "second"] and shown[4][1] == "#not one"
    plain = docx.Document(io.BytesIO(word.document([page([], task=Task.TEXT, text="# 7 rooms")])))
    assert [paragraph.text for paragraph in plain.paragraphs] == ["# 7 rooms"]


def test_xlsx_is_opened_by_openpyxl_with_text_cells_and_a_picture_of_what_is_doubtful(form: Fields) -> None:
    table = ((("a", "b"), ("1", "2")),)
    picture = Image.new("RGB", (1000, 600), "white")
    made = spreadsheet.workbook([page(form=form), page(tables=table)], lambda _: picture)
    book = openpyxl.load_workbook(io.BytesIO(made))
    fields = book["Fields"]
    assert [cell.value for cell in fields[2]][:6] == [1, "bank-card", "卡号", "=HYPERLINK(1)", 0.5, "fail"]
    assert fields["D2"].data_type == "s" and fields["D3"].value == "000123"
    assert len(fields._images) == 1
    assert book["Lines"]["B2"].value == TEXTS[0]
    assert [[cell.value for cell in row] for row in book["Table 1, page 2"].rows] == [["a", "b"], ["1", "2"]]


def test_xlsx_shows_the_picture_of_every_doubtful_line_and_of_no_other() -> None:
    lines = page(["sure", "doubtful", "sure too"])
    scored = [
        line.model_copy(update={"score": score}) for line, score in zip(lines.lines, (0.95, 0.4, 1), strict=True)
    ]
    picture = Image.new("RGB", (1000, 600), "white")
    picture.paste("red", (100, 200, 900, 240))  # where the doubtful line lies
    doubtful = lines.model_copy(update={"lines": tuple(scored)})
    made = spreadsheet.workbook([doubtful, page([], text="no place")], lambda _: picture)
    sheet = openpyxl.load_workbook(io.BytesIO(made))["Lines"]
    assert [sheet.cell(row, 2).value for row in range(2, 6)] == ["sure", "doubtful", "sure too", "no place"]
    (shown,) = sheet._images
    assert (shown.anchor._from.row, shown.anchor._from.col) == (2, 3)
    seen = Image.open(io.BytesIO(shown._data())).convert("RGB")
    assert seen.getpixel((seen.width // 2, seen.height // 2)) == (255, 0, 0)


def test_two_of_a_form_are_a_row_each_in_a_sheet_whatever_the_form_is_called(form: Fields) -> None:
    other = Fields(form="lines", fields=form.fields[1:])
    pages = [page(form=form), page(form=other), page(form=form), page(form=other)]
    odd = Labels(form_title=lambda name: "Lines" if name == "lines" else "A/C: [a name longer than Excel takes]")
    book = openpyxl.load_workbook(io.BytesIO(spreadsheet.workbook(pages, labels=odd)))
    assert book.sheetnames == ["AC a name longer than Excel tak", "Lines", "Fields", "Lines 2"]
    first = book.worksheets[0]
    assert [row[:3] for row in first.values] == [("page", "卡号", "编号"), (1, *FORM), (3, *FORM)]
    assert first["B2"].data_type == "s" and first["B2"].fill.fgColor.rgb == "FFFFE699"
    assert len(openpyxl.load_workbook(io.BytesIO(spreadsheet.workbook(pages[:2]))).sheetnames) == 2


def test_hocr_is_well_formed_with_every_line_in_its_place() -> None:
    tree = etree.fromstring(layouts.hocr([page(), page(["second"])], "0").encode())
    space = {"x": "http://www.w3.org/1999/xhtml"}
    sheets = tree.xpath("//x:div[@class='ocr_page']", namespaces=space)
    assert [sheet.get("title") for sheet in sheets] == ["bbox 0 0 1000 600; ppageno 0", "bbox 0 0 1000 600; ppageno 1"]
    lines = sheets[0].xpath(".//x:span[@class='ocr_line']", namespaces=space)
    assert lines[0].get("title") == "bbox 100 100 900 140"
    assert " ".join("".join(line.itertext()) for line in lines[:2]) == " ".join(TEXTS[:2])
    words = lines[0].xpath("x:span", namespaces=space)
    assert words[1].get("title").endswith("x_wconf 90") and words[1].text == "12345678"
    assert len(set(tree.xpath("//@id"))) == len(tree.xpath("//@id"))


def test_alto_is_well_formed_with_every_word_in_its_place() -> None:
    tree = etree.fromstring(layouts.alto([page()], "0").encode())
    space = {"a": "http://www.loc.gov/standards/alto/ns-v4#"}
    strings = tree.xpath("//a:Page/a:PrintSpace/a:TextBlock/a:TextLine/a:String", namespaces=space)
    assert [string.get("CONTENT") for string in strings[:2]] == ["发票号码", "12345678"]
    assert (strings[0].get("HPOS"), strings[0].get("VPOS"), strings[0].get("HEIGHT")) == ("100", "100", "40")
    assert 0 <= float(strings[0].get("WC")) <= 1
    for parent in tree.xpath("//a:TextLine", namespaces=space):
        left, width = int(parent.get("HPOS")), int(parent.get("WIDTH"))
        for string in parent.xpath("a:String", namespaces=space):
            assert left <= int(string.get("HPOS")) <= left + width


def test_a_searchable_pdf_is_found_by_pdfium_where_it_is_printed_and_looks_like_its_picture() -> None:
    picture = Image.new("RGB", (1000, 600), "white")
    picture.paste("red", (500, 300, 1000, 600))
    sheets = [searchable_pdf.Sheet(page(), lambda: picture), searchable_pdf.Sheet(page(["second"]), lambda: None)]
    made = pypdfium2.PdfDocument(searchable_pdf.searchable_pdf(sheets))
    assert len(made) == 2
    assert [round(side) for side in made[0].get_size()] == [360, 216]
    text = made[0].get_textpage()
    whole = text.get_text_range()
    for line in (TEXTS[0], TEXTS[1], TEXTS[3]):
        assert line in whole
    left, bottom, right, top = text.get_charbox(whole.index("发"))
    assert 34 < left < 40 and 216 - 54 < bottom < top < 216 - 30 and right > left
    shown = made[0].render(scale=1).to_pil().convert("RGB")
    seen = shown.getpixel((300, 180))
    assert isinstance(seen, tuple) and seen[0] > 200 and seen[1] < 80
    assert shown.getpixel((60, 42)) == (255, 255, 255)  # the text itself is not seen
    assert made[1].get_textpage().get_text_range() == "second"


def test_the_same_pages_give_the_same_bytes(form: Fields) -> None:
    pages = [page(form=form)]
    sheets = [searchable_pdf.Sheet(pages[0], lambda: None)]
    assert searchable_pdf.searchable_pdf(sheets) == searchable_pdf.searchable_pdf(sheets)
    assert word.document(pages) == word.document(pages)


def test_every_format_is_served_as_a_file_that_no_browser_runs(tmp_path: Path) -> None:
    starts = {"text": b"read", "markdown": b"read", "html": b"<!DOCTYPE", "docx": b"PK", "xlsx": b"PK",
              "csv": "\ufeffpage".encode(), "hocr": b"<?xml", "alto": b"<?xml", "pdf": b"%PDF"}  # fmt: skip

    async def trial(client: httpx.AsyncClient) -> None:
        job = (await client.post("/v1/jobs", files=files(originals()["tiff"]))).json()
        await ended(client, job)
        for name, start in starts.items():
            for answer in (
                await client.get(f"{job['result_url']}?format={name}"),
                await client.post(f"/ocr?format={name}&pages=2-", files=upload(originals()["tiff"])),
            ):
                assert answer.status_code == 200 and answer.content.startswith(start), name
                assert answer.headers["content-disposition"].startswith("attachment")
                assert answer.headers["x-content-type-options"] == "nosniff"
        made = pypdfium2.PdfDocument((await client.get(f"{job['result_url']}?format=pdf")).content)
        assert len(made) == 3
        assert json.loads((await client.get(job["result_url"])).content)["state"] == "done"

    run(tmp_path, trial, StubEngine())


LEFTWARD = "שני המספרים 1987"
WORLD = ["发票号码 12345678", LEFTWARD, "مرحبا بالعالم الكبير", "정문을 지나는 소포는", "Оба числа", "दो बार तौला"]


def test_words_of_a_line_that_runs_left_lie_from_its_right() -> None:
    tree = etree.fromstring(layouts.hocr([page([LEFTWARD])], "0").encode())
    lefts = [int(word.get("title").split()[1]) for word in tree.xpath("//*[@class='ocrx_word']")]
    tree = etree.fromstring(layouts.alto([page([LEFTWARD])], "0").encode())
    places = [int(word.get("HPOS")) for word in tree.xpath("//*[local-name()='String']")]
    assert len(lefts) == 3 and lefts == places == sorted(lefts, reverse=True)


def test_a_searchable_pdf_is_read_in_logical_order_whichever_way_its_lines_run() -> None:
    made = pypdfium2.PdfDocument(searchable_pdf.searchable_pdf([searchable_pdf.Sheet(page(WORLD), lambda: None)]))
    assert made[0].get_textpage().get_text_range().splitlines() == WORLD


def test_pdfa_is_valid_and_holds_the_text_and_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")  # neither Ghostscript nor Tesseract is called
    picture = Image.new("RGB", (1000, 600), "white")
    picture.paste("red", (500, 300, 1000, 600))
    sheets = [searchable_pdf.Sheet(page(WORLD), lambda: picture), searchable_pdf.Sheet(page(["second"]), lambda: None)]
    made = archival_pdf(sheets, "1.2.3")

    report = pikepdf.pdfa.validate_written(io.BytesIO(made), "2b")
    assert report.passed and not report.unsupported, report.summary()
    with pikepdf.open(io.BytesIO(made)) as opened:
        metadata = opened.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("2", "B")
        assert "Inkstick 1.2.3" in metadata["xmp:CreatorTool"]
        assert opened.Root.OutputIntents[0].S == "/GTS_PDFA1"
        described = [
            each for each in opened.objects if isinstance(each, pikepdf.Dictionary) and "/FontDescriptor" in each
        ]
        assert described and all({"/FontFile2", "/FontFile3"} & set(font.FontDescriptor.keys()) for font in described)

    document = pypdfium2.PdfDocument(made)
    assert len(document) == 2 and [round(side) for side in document[0].get_size()] == [360, 216]
    lines = document[0].get_textpage().get_text_range().splitlines()
    assert [line.rstrip() for line in lines] == WORLD
    assert document[1].get_textpage().get_text_range().strip() == "second"
    shown = document[0].render(scale=1).to_pil().convert("RGB")
    seen = shown.getpixel((300, 180))
    assert isinstance(seen, tuple) and seen[0] > 200 and seen[1] < 80
    assert shown.getpixel((60, 42)) == (255, 255, 255)


def test_pdfa_takes_the_text_from_what_was_read_and_reads_nothing_again() -> None:
    """The picture is blank: had anything been read from it, there would be no text."""
    sheets = [searchable_pdf.Sheet(page(["only in the result"]), lambda: Image.new("RGB", (1000, 600), "white"))]
    made = pypdfium2.PdfDocument(archival_pdf(sheets, "0"))
    assert made[0].get_textpage().get_text_range().strip() == "only in the result"


def test_pdfa_that_cannot_be_made_is_an_error_and_no_other_file() -> None:
    endless = page([]).model_copy(update={"width": 9_000_000, "height": 1})
    with pytest.raises(NotMade):
        archival_pdf([searchable_pdf.Sheet(endless, lambda: None)], "0")


def test_pdfa_is_served(tmp_path: Path) -> None:
    async def trial(client: httpx.AsyncClient) -> None:
        answer = await client.post("/ocr?format=pdfa&pages=2-", files=upload(originals()["tiff"]))
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/pdf"
        with pikepdf.open(io.BytesIO(answer.content)) as opened:
            assert opened.open_metadata()["pdfaid:part"] == "2" and len(opened.pages) == 2

    run(tmp_path, trial, StubEngine())
