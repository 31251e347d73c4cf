"""DOCX (ECMA-376, WordprocessingML): headings, paragraphs, fields, tables. By hand: it is a few XML files."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

from runtime.outputs.contents import contents
from runtime.outputs.labels import PLAIN, Labels
from runtime.outputs.pages import FullPage
from runtime.outputs.plain import state
from runtime.tasks.task import Task

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot hold at all."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_STYLES = "application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"
_HEADING_HALF_POINTS = (36, 32, 28, 26, 24, 22)
_HEADING_STYLES = "".join(
    f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/><w:qFormat/>'
    f'<w:pPr><w:keepNext/><w:spacing w:before="240" w:after="80"/><w:outlineLvl w:val="{level - 1}"/></w:pPr>'
    f'<w:rPr><w:b/><w:sz w:val="{size}"/></w:rPr></w:style>'
    for level, size in enumerate(_HEADING_HALF_POINTS, 1)
)
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_DOCUMENT}"/>'
    f'<Override PartName="/word/styles.xml" ContentType="{_STYLES}"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
    "word/_rels/document.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/relationships/styles" Target="styles.xml"/></Relationships>',
    "word/styles.xml": f'<w:styles xmlns:w="{_WORD}">{_HEADING_STYLES}</w:styles>',
}
_HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t]*#*")
"""Markdown's, of a line by itself."""
_BREAK = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
_BORDERS = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="auto"/>'
    for side in ("top", "left", "bottom", "right", "insideH", "insideV")
)


def document(pages: Sequence[FullPage], labels: Labels = PLAIN) -> bytes:
    """The same pages, the same bytes."""
    body = _BREAK.join(_heading(labels.heading(index)) + _page(page, labels) for index, page in enumerate(pages))
    content = f'<w:document xmlns:w="{_WORD}"><w:body>{body}<w:sectPr/></w:body></w:document>'
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in {**_PARTS, "word/document.xml": content}.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + part)
    return held.getvalue()


def _heading(text: str) -> str:
    return _paragraph(text, "Heading1") if text else ""


def _page(page: FullPage, labels: Labels) -> str:
    parts = []
    if page.form is not None and page.form.fields:
        parts.append(_table([(field.key, field.value, labels.state(state(field))) for field in page.form.fields]))
    for part in contents(page):
        if isinstance(part, str):
            split = _markdown if page.task is Task.DOCUMENT else _blocks
            parts += split(part)
        elif part:
            parts.append(_table(part))
    return "".join(parts) or "<w:p/>"


def _blocks(text: str) -> list[str]:
    return [_paragraph(block) for block in text.strip("\n").split("\n\n") if block.strip()]


def _markdown(text: str) -> list[str]:
    """As `_blocks`, headings as such."""
    parts: list[str] = []
    plain: list[str] = []
    for line in text.split("\n"):
        heading = _HEADING.fullmatch(line)
        if heading is None:
            plain.append(line)
            continue
        parts += _blocks("\n".join(plain))
        parts.append(_paragraph(heading[2], f"Heading{len(heading[1])}"))
        plain = []
    return parts + _blocks("\n".join(plain))


def _paragraph(text: str, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    lines = (f'<w:t xml:space="preserve">{escape(without_forbidden(line))}</w:t>' for line in text.split("\n"))
    return f"<w:p>{properties}<w:r>{'<w:br/>'.join(lines)}</w:r></w:p>"


def _table(rows: Sequence[Sequence[str]]) -> str:
    width = max(len(row) for row in rows)
    grid = "<w:gridCol/>" * width
    cells = "".join(
        "<w:tr>"
        + "".join(f"<w:tc><w:tcPr/>{_paragraph(cell)}</w:tc>" for cell in [*row, *[""] * (width - len(row))])
        + "</w:tr>"
        for row in rows
    )
    properties = f"<w:tblPr><w:tblBorders>{_BORDERS}</w:tblBorders></w:tblPr>"
    return f"<w:tbl>{properties}<w:tblGrid>{grid}</w:tblGrid>{cells}</w:tbl><w:p/>"


def without_forbidden(text: str) -> str:
    """`text` without the signs that no XML can hold."""
    return _FORBIDDEN.sub("", text)
