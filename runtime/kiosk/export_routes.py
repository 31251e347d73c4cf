"""What the page asks for to take results out: formats, saving, QR codes."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from runtime.kiosk.exports import OFFERED, Choice, Per
from runtime.kiosk.session import Session
from runtime.kiosk.short_codes import MOST_BYTES, QR_TOO_LONG, code_of
from runtime.outputs.formats import Format
from runtime.problems import NOT_FOUND, Problem

router = APIRouter(prefix="/kiosk")
_DONE = Response(status_code=204)


class Chosen(BaseModel):
    """`who`: the name that stands in the evidence; "" for nobody's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    formats: Annotated[list[Format], Field(min_length=1)]
    per: Per
    evidence: bool = False
    who: Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""

    @field_validator("formats")
    @classmethod
    def _are_offered(cls, formats: list[Format]) -> list[Format]:
        if not set(formats) <= set(OFFERED):
            raise ValueError(f"there are {', '.join(OFFERED)}")
        return formats


def _session(request: Request) -> Session:
    return cast(Session, request.app.state.session)


Now = Annotated[Session, Depends(_session)]


@router.put("/exports")
async def choose(session: Now, body: Chosen) -> Response:
    session.may_edit()
    formats = tuple(form for form in OFFERED if form in body.formats)
    session.exports.choose(Choice(formats, body.per, body.evidence, body.who.strip()))
    return _DONE


@router.post("/save/stop")
async def stop(session: Now) -> Response:
    session.stop_saving()
    return _DONE


@router.get("/pages/{number}/qr")
async def short_code(session: Now, number: int, target: str = "") -> dict[str, Any]:
    """The QR code of what stands at `target`, or of the page's text. Raises Problem QR_TOO_LONG."""
    page = session.page(number)
    text = page.value(target) if target else page.text()
    code = code_of(text)
    if code is None and not text:
        raise Problem(NOT_FOUND, "There is no text.")
    if code is None:
        length = len(text.encode("utf-8", "replace"))
        told = f"It has {length} bytes; {MOST_BYTES} are the most, about {MOST_BYTES // 3} Chinese characters."
        raise Problem(QR_TOO_LONG, told, extra={"bytes": length, "most_bytes": MOST_BYTES})
    return {"text": text, "side": code.side, "path": code.path}
