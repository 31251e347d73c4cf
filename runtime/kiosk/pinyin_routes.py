"""Candidates for the page's own pinyin keyboard."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from runtime.pinyin.candidates import candidates
from runtime.pinyin.syllables import LETTERS

router = APIRouter()
_MOST = 100


class CandidateText(BaseModel):
    """`takes`: how many of the letters of `q` it stands for; the keyboard goes on with the others."""

    model_config = ConfigDict(frozen=True)

    text: str
    takes: int


class Candidates(BaseModel):
    model_config = ConfigDict(frozen=True)

    q: str
    total: int
    candidates: list[CandidateText]


@router.get("/kiosk/pinyin")
def pinyin(
    q: Annotated[str, Query(pattern="^[a-z']*$", max_length=LETTERS)],
    traditional: bool = False,
    start: Annotated[int, Query(ge=0)] = 0,
    count: Annotated[int, Query(ge=1, le=_MOST)] = 50,
) -> Candidates:
    """Best first, `count` of them from the one with number `start` on; none for letters that are no pinyin."""
    found = candidates(q, traditional=traditional)
    page = [CandidateText(text=each.text, takes=each.takes) for each in found[start : start + count]]
    return Candidates(q=q, total=len(found), candidates=page)
