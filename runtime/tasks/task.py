"""What is asked of a page."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Task(StrEnum):
    """The tasks of the interface. Their names are part of it and never change."""

    TEXT = "text"
    SPOTTING = "spotting"
    DOCUMENT = "document"
    TABLE = "table"
    FORMULA = "formula"
    CHART = "chart"
    FIELDS = "fields"
    SUBTITLE = "subtitle"
    TRANSLATE = "translate"


Language = Literal["zh", "en"]
Key = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^'\x00-\x1f]+$")]
"""A field's name as it goes into the prompt: a quote or a line break would end the list there."""


MOST_PROMPT_CHARACTERS = 2000


class Ask(BaseModel):
    """One request's task. `keys`: the wanted fields, of `fields` alone. `to`: the language of a translation.
    `prompt`: a person's own words in place of the official ones, of `text` alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: Task = Task.TEXT
    keys: Annotated[tuple[Key, ...], Field(max_length=64)] = ()
    to: Language = "en"
    prompt: Annotated[str, Field(max_length=MOST_PROMPT_CHARACTERS)] = ""

    @model_validator(mode="after")
    def _keys_belong_to_fields(self) -> Self:
        if self.task is Task.FIELDS and not self.keys:
            raise ValueError("the task `fields` wants `keys`, the names of the fields to read")
        if self.prompt and self.task is not Task.TEXT:
            raise ValueError("a prompt of one's own goes with the task `text`")
        return self
