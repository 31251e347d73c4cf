"""Results as files: what each format holds, what makes a file, and QR codes that a reader reads."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import zipfile
from pathlib import Path

import cv2
import docx
import numpy as np
import openpyxl
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from builder.manifest import Layer, Manifest
from runtime.config import Listener, StationConfig
from runtime.evidence import verify
from runtime.fields.forms import built_in
from runtime.fields.reading import Field, Fields
from runtime.fields.verdicts import failed, passed
from runtime.gateway.recognition import Recognised
from runtime.kiosk import catalogue
from runtime.kiosk.composing import EXPORT_TOO_LARGE, Made, Pictures, compose
from runtime.kiosk.documents import Document
from runtime.kiosk.exports import OFFERED, Choice, Per, Taken, content, groups
from runtime.kiosk.pages import Page, Status
from runtime.kiosk.provenance import build, evidence
from runtime.kiosk.short_codes import MOST_BYTES, code_of
from runtime.outputs.formats import Format
from runtime.problems import STICK_GONE, Problem
from tests.unit.kiosk.stub_reader import WORDS, StubCage, page_result

_LONG = "".join(chr(0x4E00 + 7 * number) for number in range(MOST_BYTES // 3))
_CONFIG = StationConfig(
    profile="test",
    version="1.2.3",
    ui=Listener(host="127.0.0.1", port=1),
    api=Listener(host="127.0.0.1", port=2),
    engines=[],
)


def picture() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(held, "PNG")
    return held.getvalue()


def read(document: Document, place: int = 0, *words: str) -> Page:
    page = Page(document, place, status=Status.READ, recognised=Recognised(page_result(words or WORDS)))
    page.source_sha256, page.source_bytes = "ab" * 32, 7
    return page


def batch() -> list[Page]:
    """Two pages of one document with another one's in between."""
    first = Document("合同.pdf", "upload", data=picture(), sheets=2)
    second = Document("photo.png", "stick", sheets=1)
    return [read(first, 0), read(second), read(first, 1)]


def taken(pages: list[Page]) -> list[Taken]:
    return [Taken(number, page, page.edited()) for number, page in enumerate(pages)]


def made(pages: list[Page], choice: Choice, room: Path) -> Made:
    async def gone(_: Document) -> bytes:
        raise Problem(STICK_GONE)

    told: list[tuple[int, int]] = []

    async def run() -> Made:
        _, found = await compose(
            pages,
            choice,
            room,
            Pictures(StubCage(), gone),
            batch_name="all",
            language="zh",
            version="1",
            on_progress=lambda done, total: told.append((done, total)),
        )
        await asyncio.sleep(0)
        return found

    found = asyncio.run(run())
    assert told[-1] == (len(pages) * len(choice.formats),) * 2
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    return found


def bytes_of(found: Made) -> dict[str, bytes]:
    return {
        output.stem + suffix: held.read_bytes() if isinstance(held, Path) else held
        for output in found.outputs
        for suffix, held in output.parts
    }


@pytest.mark.parametrize(
    ("per", "stems"),
    [
        (Per.PAGE, ["合同-1", "photo", "合同-2"]),
        (Per.DOCUMENT, ["合同", "photo"]),
        (Per.BATCH, ["all"]),
    ],
)
def test_a_file_holds_a_page_a_document_or_the_batch(per: Per, stems: list[str]) -> None:
    assert [group.stem for group in groups(taken(batch()), per, "all")] == stems
    numbers = [each.number for group in groups(taken(batch()), per, "all") for each in group.pages]
    assert sorted(numbers) == [0, 1, 2]


def test_a_saved_page_is_text_for_people_and_a_record_of_everything() -> None:
    page = read(Document("扫描 1.png", "stick", sheets=1), 0, "一", "二")
    page.edit("line:1", "贰")
    (group,) = groups(taken([page]), Per.PAGE, "")
    assert group.stem == "扫描 1"
    assert content(Format.TEXT, group, lambda _: None, "1", "zh").decode() == "一\n贰\n"
    known = json.loads(content(Format.JSON, group, lambda _: None, "1", "zh"))
    assert known["file"] == "扫描 1.png"
    assert known["text"] == "一\n贰"
    assert [line["corrected"] for line in known["lines"]] == [False, True]
    assert known["lines"][1]["read_as"] == "二"


def test_every_format_of_a_batch_opens_elsewhere_and_holds_every_page(tmp_path: Path) -> None:
    pages = batch()
    pages[1].edit("line:1", "人改过的一行")
    files = bytes_of(made(pages, Choice(OFFERED, Per.BATCH), tmp_path))
    assert files.keys() == {f"all.{each}" for each in ("txt", "json", "md", "docx", "xlsx", "csv", "pdf")}
    heads = ["合同.pdf · 1", "photo.png", "合同.pdf · 2"]
    texts = files["all.txt"].decode().split("\f")
    assert [text.partition("\n")[0] for text in texts] == [f"[{head}]" for head in heads]
    assert re.findall(r"(?m)^# (.+)$", files["all.md"].decode().replace("\\", "")) == heads
    assert [page["file"] for page in json.loads(files["all.json"])["pages"]] == ["合同.pdf", "photo.png", "合同.pdf"]
    assert "人改过的一行" in files["all.md"].decode()
    assert "人改过的一行" in files["all.csv"].decode("utf-8-sig")
    word = docx.Document(io.BytesIO(files["all.docx"]))
    assert "人改过的一行" in "\n".join(each.text for each in word.paragraphs)
    assert [each.text for each in word.paragraphs if each.style and each.style.name == "Heading 1"] == heads
    book = openpyxl.load_workbook(io.BytesIO(files["all.xlsx"]))
    rows = [row[:2] for row in book["文字行"].iter_rows(min_row=2, values_only=True)]
    assert rows[::3] == [("合同.pdf", 1), ("photo.png", 1), ("合同.pdf", 2)] and len(rows) == 9
    with pypdfium2.PdfDocument(files["all.pdf"]) as document:
        assert len(document) == 3
        assert "人改过的一行" in document[1].get_textpage().get_text_range()


def invoice(name: str, number: str, buyer: str) -> Page:
    fields = (
        Field(key="发票号码", value=number, box=None, box_1000=None, score=1,
              checks=(failed("invoice-number", "It does not have 18 signs."),)),
        Field(key="购买方名称", value=buyer, box=None, box_1000=None, score=1, checks=(passed("x", "It fits."),)),
    )  # fmt: skip
    form = next(form for form in built_in() if form.name == "vat-invoice")
    found = Fields(form=form.name, fields=fields[: 2 if buyer else 1])
    page = read(Document(name, "stick", sheets=1))
    page.recognised = Recognised(page_result(), found, form)
    return page


def test_invoices_are_rows_of_one_sheet_each_with_the_file_that_it_is_from(tmp_path: Path) -> None:
    pages = [
        invoice("甲.png", "00012345", "南浦瑞丰"),
        read(Document("封面.png", "stick")),
        invoice("乙.png", "23", ""),
    ]
    files = bytes_of(made(pages, Choice((Format.XLSX, Format.CSV, Format.DOCX), Per.BATCH), tmp_path))
    book = openpyxl.load_workbook(io.BytesIO(files["all.xlsx"]))
    assert book.sheetnames == ["增值税发票", "字段", "文字行"]
    assert list(book["增值税发票"].values) == [
        ("文件", "页", "发票号码", "购买方名称"),
        ("甲.png", 1, "00012345", "南浦瑞丰"),
        ("乙.png", 1, "23", None),
    ]
    rows = list(book["字段"].values)
    assert rows[0] == ("文件", "页", "表单", "字段", "内容", "可信度", "校验", "原因", "图片")
    assert rows[1][2:8] == ("增值税发票", "发票号码", "00012345", 1, "不通过", "不是 18 位。")
    assert rows[2][6] == "通过"
    table = list(csv.reader(io.StringIO(files["all.csv"].decode("utf-8-sig"))))
    assert table[0] == ["文件", "页", "表单", "字段", "内容", "可信度", "校验"]
    assert table[1] == ["甲.png", "1", "增值税发票", "发票号码", "00012345", "1.00", "不通过"]
    assert table[3][:5] == ["封面.png", "1", "", "", WORDS[0]]
    (cells,) = (row.cells for row in docx.Document(io.BytesIO(files["all.docx"])).tables[1].rows)
    assert [cell.text for cell in cells] == ["发票号码", "23", "不通过"]


def test_headings_are_in_the_language_of_the_page() -> None:
    pages = [invoice("甲.png", "1", "A"), invoice("乙.png", "2", "B")]
    (group,) = groups(taken(pages), Per.BATCH, "all")
    book = openpyxl.load_workbook(io.BytesIO(content(Format.XLSX, group, lambda _: None, "1", "en")))
    assert book.sheetnames == ["VAT invoice", "Fields", "Lines"]
    assert [cell.value for cell in book["Fields"][2]][6:8] == ["failed", "It does not have 18 signs."]


def test_pictures_are_cut_out_where_the_lines_are_though_only_the_screen_s_picture_is_left(tmp_path: Path) -> None:
    page = read(Document("photo.png", "stick", sheets=1))
    small = Image.new("RGB", (150, 200), "white")
    ImageDraw.Draw(small).rectangle((10, 50, 140, 60), fill="red")  # the third line, at a quarter of its size
    held = io.BytesIO()
    small.save(held, "PNG")
    page.shown = held.getvalue()
    files = bytes_of(made([page], Choice((Format.XLSX,)), tmp_path))
    with zipfile.ZipFile(io.BytesIO(files["photo.xlsx"])) as book:
        (name,) = (each for each in book.namelist() if each.startswith("xl/media/"))
        cut = Image.open(io.BytesIO(book.read(name))).convert("RGB")
    red, _, blue = cut.getpixel((cut.width // 2, cut.height // 2))  # type: ignore[misc]
    assert red > 200 and blue < 60


def test_a_station_without_memory_left_says_so(tmp_path: Path) -> None:
    async def fetch(_: Document) -> bytes:
        return b""

    with pytest.raises(Problem) as caught:
        asyncio.run(
            compose(
                batch(),
                Choice(),
                tmp_path / "not there",
                Pictures(StubCage(), fetch),
                batch_name="all",
                language="zh",
                version="1",
                on_progress=lambda *_: None,
            )
        )
    assert caught.value.kind is EXPORT_TOO_LARGE


def test_a_stopped_export_ends_soon_and_is_no_error(tmp_path: Path) -> None:
    async def run() -> None:
        begun = asyncio.Event()
        document = Document("photo.png", "stick", sheets=1)

        async def fetch(_: Document) -> bytes:
            begun.set()
            await asyncio.sleep(0.05)
            return picture()

        pages = [read(Document(f"{n}.png", "stick", sheets=1)) for n in range(200)]
        work = asyncio.create_task(
            compose(
                [read(document), *pages],
                Choice((Format.PDF,), Per.BATCH),
                tmp_path,
                Pictures(StubCage(), fetch),
                batch_name="all",
                language="zh",
                version="1",
                on_progress=lambda *_: None,
            )
        )
        await begun.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


def test_evidence_tells_source_engine_edits_and_files_and_is_whole(tmp_path: Path) -> None:
    pages = batch()
    pages[0].edit("line:0", "改")
    found = made(pages, Choice((Format.TEXT, Format.DOCX), Per.DOCUMENT), tmp_path / "")
    names = ("合同-2.txt", "合同-2.docx", "photo.txt", "photo.docx")
    folder = tmp_path / "stick"
    folder.mkdir()
    for name, held in zip(names, bytes_of(found).values(), strict=True):
        (folder / name).write_bytes(held)
    told = evidence(_CONFIG, "00" * 16, "李四", taken(pages), found.named(names))
    (folder / "evidence.jsonl").write_bytes(told.content)
    report = verify.check(folder / "evidence.jsonl", folder)
    assert (report.broken, report.differing, report.checked_files) == ([], [], 4)
    assert report.closing_hash == told.closing
    kinds = [record["type"] for record in report.records]
    assert kinds == ["station", "page", "edit", "page", "page", *["file"] * 4, "closing"]
    page, edit = report.records[1:3]
    assert (page["source_sha256"], page["sheet"], page["engine"]["name"]) == ("ab" * 32, 1, "stub")
    assert page["raw"] == "\n".join(WORDS)
    assert (edit["who"], edit["target"], edit["before"], edit["after"]) == ("李四", "line:0", WORDS[0], "改")
    assert report.records[5]["pages"] == [0, 2]


def test_the_build_is_the_one_that_its_manifest_names(tmp_path: Path) -> None:
    layers = (Layer("base", "base-00.squashfs", 4096, 4096, "0" * 64), Layer("model", "m.luks", 1, 2, "1" * 64, True))
    manifest = Manifest("test", "1.2.3", layers)
    (tmp_path / "layers").write_text("".join(layer.line.removeprefix("layer ") + "\n" for layer in layers))
    told = build(_CONFIG.model_copy(update={"booted_layers": tmp_path / "layers"}))
    assert told["build"] == manifest.id
    assert [layer["root_hash"] for layer in told["layers"]] == ["0" * 64, "1" * 64]
    assert build(_CONFIG) == {"build": None, "layers": []}


@pytest.mark.parametrize("text", ["Store room key: hook 17.", "公民身份号码 11010519491231002X", "12345678", _LONG])
def test_a_reader_reads_from_the_code_what_was_put_in(text: str) -> None:
    code = code_of(text)
    assert code is not None
    scale = 8
    dots = np.full((code.side, code.side), 255, np.uint8)
    for module in code.path.removeprefix("M").split("M"):
        x, y = map(int, module.partition("h")[0].split(" "))
        dots[y, x] = 0
    read_back, *_ = cv2.QRCodeDetector().detectAndDecode(np.kron(dots, np.ones((scale, scale), np.uint8)))
    assert read_back == text


def test_a_text_that_is_too_long_has_no_code_and_people_are_told_the_limit() -> None:
    assert code_of("a" * (MOST_BYTES + 1)) is None
    assert code_of("") is None
    assert all(str(MOST_BYTES) in catalogue.messages(each)["remedy.qr-too-long"] for each in catalogue.LANGUAGES)
