"""Text on paper: read back by PDFium, which knows nothing of how it was written."""

from __future__ import annotations

import pypdfium2

from runtime.outputs.paper import Text, on_paper


def pages(made: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(made)
    return [page.get_textpage().get_text_range() for page in document]


def test_every_pages_text_begins_on_a_new_sheet_under_its_name() -> None:
    first, second = pages(
        on_paper([Text("合同.pdf · 1 / 2", "甲方：王芳\n金额 ¥1,200.50"), Text("b.png", "Plain words")])
    )
    assert "合同.pdf" in first and "甲方：王芳" in first and "¥1,200.50" in first
    assert "b.png" in second and "Plain words" in second and "甲方" not in second


def test_a_long_text_goes_on_and_loses_no_line() -> None:
    lines = [f"第{number}行 line {number}." for number in range(150)]
    made = pages(on_paper([Text("long", "\n".join(lines))]))
    assert len(made) > 2
    whole = "".join(made)
    assert [line for line in lines if line not in whole] == []


def test_no_text_and_signs_that_no_font_has_still_make_a_sheet() -> None:
    assert len(pages(on_paper([Text("", ""), Text("x", "\x00\ue123 مرحبا שלום ไทย हिन्दी \U0001f5a8")]))) == 2
