"""What a person's review of a page says of how it was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from runtime.evaluate.measures import ErrorRate, FieldCount, characters, fields
from runtime.fields.forms import Form
from runtime.fields.reading import choose, read_fields
from runtime.results import EngineInfo, PageResult


class Correction(BaseModel):
    """One line that a person changed; "" removed it."""

    line: int
    read_as: str
    corrected: str


@dataclass(frozen=True)
class Review:
    """A page that a person has looked through and kept. `page`: the same for the same page, also if it is
    reviewed again. `signs`: edits over the signs of the corrected lines. `fields`: as read, over as corrected."""

    page: str
    form: str
    engine: EngineInfo
    lines: int
    corrections: tuple[Correction, ...]
    signs: ErrorRate
    fields: FieldCount


def review(page: str, result: PageResult, corrections: Mapping[int, str], forms: Sequence[Form]) -> Review:
    """`corrections`: line numbers to what a person wrote there."""
    corrected = result.model_copy(
        update={
            "lines": tuple(
                line.model_copy(update={"text": text})
                for number, line in enumerate(result.lines)
                if (text := corrections.get(number, line.text))
            )
        }
    )
    form = choose(corrected, forms)
    counted = FieldCount()
    if form is not None:
        counted = fields(read_fields(corrected, form).flat(), read_fields(result, form).flat())
    signs = [characters(corrections.get(number, line.text), line.text) for number, line in enumerate(result.lines)]
    return Review(
        page=page,
        form="" if form is None else form.name,
        engine=result.engine,
        lines=len(result.lines),
        corrections=tuple(
            Correction(line=number, read_as=result.lines[number].text, corrected=text)
            for number, text in sorted(corrections.items())
        ),
        signs=sum(signs, ErrorRate()),
        fields=counted,
    )
