"""The shapes in which a page is answered: flat, in full, and as LiteParse's clients expect it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from runtime.fields.reading import Box1000, Fields, thousandths
from runtime.gateway.recognition import Recognised
from runtime.results import Finish, Line, PageResult

FULL_MEDIA_TYPE = "application/vnd.inkstick+json"


class PageText(BaseModel):
    """The page's text in reading order."""

    text: str


class FullLine(Line):
    """A line, with its box in thousandths of the page too: left, top, right, bottom."""

    box_1000: Box1000


class FullPage(PageResult):
    """All that is known of a page. `form`: which it is, and its fields with their evidence."""

    lines: tuple[FullLine, ...]
    form: Fields | None = None
    finish_reason: Finish = "complete"
    truncated: bool = False
    repaired: bool = False


class LiteParseItem(BaseModel):
    """`bbox`: left, top, right, bottom in pixels of the upright page."""

    text: str
    bbox: tuple[float, float, float, float]
    confidence: float


class LiteParse(BaseModel):
    """LiteParse's OCR interface, for a form with `file` and `language`."""

    results: list[LiteParseItem]


def flat(recognised: Recognised) -> dict[str, str]:
    """Field names and values, those asked for by name always; of a page that is no form, its text."""
    if recognised.fields is None:
        return {"text": recognised.page.text}
    return {**dict.fromkeys(recognised.flat_keys, ""), **recognised.fields.flat()}


def full(recognised: Recognised) -> FullPage:
    """Everything, boxes normalised."""
    page = recognised.page
    held: dict[str, Any] = {name: getattr(page, name) for name in type(page).model_fields}
    held["lines"] = tuple(
        FullLine(**dict(line), box_1000=thousandths(line.box, page.width, page.height)) for line in page.lines
    )
    if recognised.fields is not None:
        held["fields"] = recognised.fields.flat()
    return FullPage(
        **held,
        form=recognised.fields,
        finish_reason=page.generation.finish if page.generation else "complete",
        truncated="truncated" in page.warnings,
        repaired="repaired" in page.warnings,
    )


def liteparse(recognised: Recognised) -> LiteParse:
    """Lines with upright boxes."""
    return LiteParse(
        results=[
            LiteParseItem(
                text=line.text,
                bbox=(
                    min(x for x, _ in line.box),
                    min(y for _, y in line.box),
                    max(x for x, _ in line.box),
                    max(y for _, y in line.box),
                ),
                confidence=line.score,
            )
            for line in recognised.page.lines
        ]
    )
