"""What the review asks of the station: pages with their doubts, edits, undo, search and replace."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from pydantic import Field, NonNegativeInt

from runtime.kiosk.body import Body
from runtime.kiosk.corrections import MAX_LINE_CHARACTERS, MAX_TEXT_CHARACTERS
from runtime.kiosk.replacing import Words
from runtime.kiosk.reviewing import Review

router = APIRouter(prefix="/kiosk")


class Edit(Body):
    """`target`: `line:3`, `field:姓名`, `cell:0:1:2` (table, row, column) or `text`."""

    target: Annotated[str, Field(max_length=200)]
    text: Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS)]


class Confirm(Body):
    target: Annotated[str, Field(max_length=200)]


class Search(Body):
    find: Annotated[str, Field(min_length=1, max_length=MAX_LINE_CHARACTERS)]
    with_case: bool = False


class Replace(Search):
    """`skipped`: page numbers and targets that stay as they are."""

    replace: Annotated[str, Field(max_length=MAX_LINE_CHARACTERS)]
    skipped: Annotated[tuple[tuple[NonNegativeInt, str], ...], Field(max_length=10_000)] = ()


def _review(request: Request) -> Review:
    return cast(Review, request.app.state.review)


Now = Annotated[Review, Depends(_review)]


@router.get("/review")
async def listing(review: Now) -> dict[str, Any]:
    return review.listing()


@router.get("/pages/{number}")
async def page(review: Now, number: int) -> dict[str, Any]:
    return review.view(number)


@router.post("/pages/{number}/edit")
async def edit(review: Now, number: int, body: Edit) -> dict[str, Any]:
    """The page as it is then."""
    return review.edit(number, body.target, body.text)


@router.post("/pages/{number}/confirm")
async def confirm(review: Now, number: int, body: Confirm) -> dict[str, Any]:
    """Seen and right. The page as it is then."""
    return review.confirm(number, body.target)


@router.post("/review/undo")
async def undo(review: Now) -> dict[str, Any]:
    """The step that was done last on any page, and where it was."""
    return review.undo()


@router.post("/review/redo")
async def redo(review: Now) -> dict[str, Any]:
    return review.redo()


@router.post("/review/search")
async def search(review: Now, body: Search) -> dict[str, Any]:
    return review.search(Words(body.find, with_case=body.with_case))


@router.post("/review/replace")
async def replace(review: Now, body: Replace) -> dict[str, Any]:
    return review.replace(Words(body.find, body.replace, body.with_case), body.skipped)
