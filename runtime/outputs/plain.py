"""Text, Markdown, HTML and CSV."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator, Sequence

from runtime.fields.reading import Field
from runtime.outputs.contents import TABLE, text_lines
from runtime.outputs.labels import PLAIN, Labels
from runtime.outputs.pages import FullPage
from runtime.tasks.task import Task

_IS_MARKDOWN = frozenset({Task.DOCUMENT, Task.TABLE, Task.FORMULA, Task.CHART})
_MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_BLOCK_START = re.compile(r"^(\s*)([-+=]|\d+[.)])(?=\s|$|-|=)")
_ALLOWED_TAGS = {"table", "thead", "tbody", "tr", "td", "th", "caption", "br", "sub", "sup", "b", "i"}
_ALLOWED_ATTRIBUTES = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+%?")
PAGE_BREAK = "\f"


def text(pages: Sequence[FullPage], labels: Labels = PLAIN) -> str:
    """Pages parted by form feeds, as other programs do it."""
    return PAGE_BREAK.join(
        f"{_headed(labels.heading(index), '[{}]')}{page.text}\n" for index, page in enumerate(pages)
    )


def markdown(pages: Sequence[FullPage], labels: Labels = PLAIN) -> str:
    """Fields as a table, then the text; signs that Markdown would take for its own are escaped."""
    headings = (_headed(_escaped(labels.heading(index)), "# {}") for index in range(len(pages)))
    parts = (heading + _page_markdown(page, labels) for heading, page in zip(headings, pages, strict=True))
    return "\n\n---\n\n".join(parts) + "\n"


def _headed(name: str, form: str) -> str:
    return f"{form.format(name)}\n\n" if name else ""


def _page_markdown(page: FullPage, labels: Labels) -> str:
    if page.task in _IS_MARKDOWN:
        return page.text
    parts = []
    if page.form is not None:
        rows = [
            f"| {_cell(field.key)} | {_cell(field.value)} | {labels.state(state(field))} |"
            for field in page.form.fields
        ]
        heading = " | ".join(labels.words[each] for each in ("field", "value", "check"))
        parts.append("\n".join([f"| {heading} |", "| --- | --- | --- |", *rows]))
    blocks = ("\\\n".join(map(_escaped, block.split("\n"))) for block in page.text.split("\n\n") if block.strip())
    return "\n\n".join([*parts, *blocks])


def _escaped(line: str) -> str:
    return _BLOCK_START.sub(
        lambda found: f"{found[1]}{_guarded(found[2])}", _MARKDOWN_SIGNS.sub(r"\\\1", line.strip())
    )


def _guarded(mark: str) -> str:
    return f"{mark[:-1]}\\{mark[-1]}"


def _cell(value: str) -> str:
    return _MARKDOWN_SIGNS.sub(r"\\\1", value)


def state(field: Field) -> str:
    """The worst that a check says of a field; "" where there is none."""
    states = {verdict.state for verdict in field.checks}
    return next((each for each in ("fail", "unchecked", "pass") if each in states), "")


def html_document(pages: Sequence[FullPage], title: str = "Inkstick") -> str:
    """One page of HTML. Nothing in it runs: text is escaped, and a model's tables are sanitised."""
    sections = "\n".join(f"<section>\n{_page_html(page)}\n</section>" for page in pages)
    return (
        f'<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
        "<style>table{border-collapse:collapse}td,th{border:1px solid #999;padding:.2em .5em}"
        "section{break-after:page}</style>\n</head>\n<body>\n" + sections + "\n</body>\n</html>\n"
    )


def _page_html(page: FullPage) -> str:
    parts = []
    if page.form is not None:
        rows = "".join(
            f"<tr><th>{html.escape(field.key)}</th><td>{html.escape(field.value)}</td><td>{state(field)}</td></tr>"
            for field in page.form.fields
        )
        parts.append(f"<table>{rows}</table>")
    at = 0
    for found in TABLE.finditer(page.text):
        parts += [_paragraphs(page.text[at : found.start()]), sanitised(found[0])]
        at = found.end()
    return "\n".join([*parts, _paragraphs(page.text[at:])])


def sanitised(markup: str) -> str:
    """Tables and their cells; all else is taken out of `markup`, scripts with their content."""
    import nh3

    return nh3.clean(markup, tags=_ALLOWED_TAGS, attributes=_ALLOWED_ATTRIBUTES, link_rel=None)


def _paragraphs(plain: str) -> str:
    blocks = (block.strip("\n") for block in plain.split("\n\n"))
    return "\n".join(f"<p>{'<br>'.join(html.escape(block).split(chr(10)))}</p>" for block in blocks if block.strip())


def comma_separated(pages: Sequence[FullPage], labels: Labels = PLAIN) -> str:
    """Tables as they are, a blank row after each, where there are any and no page is a form. Else fields,
    one a row; of pages without any, their lines. With a mark by which spreadsheets know UTF-8."""
    held = io.StringIO()
    writer = csv.writer(held)
    if any(page.tables for page in pages) and all(page.form is None for page in pages):
        for table in (table for page in pages for table in page.tables):
            writer.writerows([*(map(harmless, row) for row in table), []])
        return "\ufeff" + held.getvalue()
    headings = (labels.words[each] for each in ("form", "field", "value", "score", "check"))
    writer.writerow([*labels.place_headings, *headings])
    for index, page in enumerate(pages):
        place = [str(each) for each in labels.place(index)]
        writer.writerows(map(harmless, (*place, *row)) for row in _rows(page, labels))
    return "\ufeff" + held.getvalue()


def _rows(page: FullPage, labels: Labels) -> Iterator[tuple[str, ...]]:
    if page.form is not None:
        form = labels.form_title(page.form.form)
        for field in page.form.fields:
            yield form, field.key, field.value, f"{field.score:.2f}", labels.state(state(field))
        return
    for line in page.lines:
        yield "", "", line.text, f"{line.score:.2f}", ""
    for text_line in [] if page.lines else text_lines(page):
        yield "", "", text_line, "", ""


def harmless(value: str) -> str:
    """A cell that no spreadsheet takes for a formula: those that could be one are quoted."""
    if value.startswith(_FORMULA_START) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
