"""What a model wrote for a document (Markdown with HTML tables and LaTeX) as HTML that a page may show."""

from __future__ import annotations

import html
import re
from functools import cache

from markdown_it import MarkdownIt

_FORMULA = re.compile(
    r"\$\$(?P<a>.+?)\$\$|\\\[(?P<b>.+?)\\\]|\\\((?P<c>.+?)\\\)|(?<![\\$\w])\$(?P<d>[^\s$](?:[^$\n]*?[^\s$\\])?)\$(?![\d$])",
    re.DOTALL,
)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_PLACE = re.compile("\ue000(\\d+)\ue001")
_ENVIRONMENT = re.compile(r"\\begin\{(?:equation|align|gather|multline)\*?\}")
_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "em", "strong", "s", "sub"),
    *("sup", "b", "i", "u", "ul", "ol", "li", "table", "thead", "tbody", "tr", "td", "th", "caption"),
}
_ATTRIBUTES = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "ol": {"start"}}


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def document_html(text: str) -> str:
    """Safe HTML of `text`: no scripts, styles, pictures or links. A formula becomes
    `<span class="math" data-display="...">` with its LaTeX as text, for KaTeX to draw."""
    import nh3

    formulas: list[str] = []
    code = [(found.start(), found.end()) for found in _CODE.finditer(text)]

    def keep(found: re.Match[str]) -> str:
        if any(start <= found.start() < end for start, end in code):
            return found[0]
        display = found["a"] or found["b"]
        formulas.append(_math(display or found["c"] or found["d"], display=bool(display)))
        return f"\ue000{len(formulas) - 1}\ue001"

    marked = _FORMULA.sub(keep, _PLACE.sub("", text))
    made = nh3.clean(_markdown().render(marked), tags=_TAGS, attributes=_ATTRIBUTES, link_rel=None)
    return _PLACE.sub(lambda found: formulas[int(found[1])] if int(found[1]) < len(formulas) else "", made)


def formula_html(text: str) -> str:
    """A page that is one formula: its LaTeX, with or without the signs that part it from text."""
    bare = text.strip()
    found = _FORMULA.fullmatch(bare)
    if found is not None:
        bare = next(part for part in found.groups() if part is not None)
    elif _FORMULA.search(bare) and not _ENVIRONMENT.match(bare):
        return document_html(text)
    return f"<p>{_math(bare, display=True)}</p>" if bare else ""


def _math(latex: str, *, display: bool) -> str:
    return f'<span class="math" data-display="{str(display).lower()}">{html.escape(latex.strip())}</span>'
