"""The shapes in which a page is answered: flat, in full, and as LiteParse's clients expect it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from runtime.fields.reading import thousandths
from runtime.gateway.recognition import Recognised
from runtime.jobs.records import PageFailure
from runtime.outputs.pages import FullLine, FullPage

FULL_MEDIA_TYPE = "application/vnd.inkstick+json"


class PageText(BaseModel):
    """The page's text in reading order."""

    text: str


class LiteParseItem(BaseModel):
    """`bbox`: left, top, right, bottom in pixels of the upright page."""

    text: str
    bbox: tuple[float, float, float, float]
    confidence: float


class LiteParse(BaseModel):
    """LiteParse's OCR interface, for a form with `file` and `language`."""

    results: list[LiteParseItem]


class FullPages(BaseModel):
    """A document of several pages, those that were asked for. `failures`: pages that could not be read."""

    pages: list[FullPage]
    failures: list[PageFailure] = []

    @property
    def was_alone(self) -> bool:
        """One page, read without a job."""
        return len(self.pages) == 1 and not self.failures


def flat(pages: Sequence[FullPage], keys: Sequence[str] = ()) -> dict[str, str]:
    """Field names and values, of `keys` all; where no page is a form, the text.

    Of several pages a field is the first's that has it: a card's two sides make one object.
    """
    read = [page.form.flat() for page in pages if page.form is not None]
    if not read:
        return {"text": "\n\n".join(page.text for page in pages)}
    merged = dict.fromkeys(keys, "")
    for fields in reversed(read):
        merged.update(fields)
    return {key: merged[key] for key in dict.fromkeys([*keys, *(key for fields in read for key in fields)])}


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


def liteparse(pages: Sequence[FullPage]) -> LiteParse:
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
            for page in pages
            for line in page.lines
        ]
    )
