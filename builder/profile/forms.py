"""Forms of the operator's own, in the shape that runtime/fields/forms.py reads on the station."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from builder.profile.strict import Name, Strict

Check = Literal[
    "identity-number",
    "credit-code",
    "invoice-number",
    "invoice-code",
    "card-number",
    "account-number",
    "iban",
    "bic",
    "date",
    "date-range",
    "amount",
    "amount-in-capitals",
]
AgreementKind = Literal["same-amount", "sum", "birth-in-number", "sex-in-number", "dates-in-order"]
Key = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^'\x00-\x1f]+$")]
"""As it goes into a language model's prompt: a quote or a line break would end the list of keys there."""
Count = Annotated[int, Field(gt=0)]


class FormField(Strict):
    """A field. `key`: what it is called in answers. `labels`: what is printed beside or above its value, by
    default the key. `hint`: told to engines that are asked in words. `nth`: which of several equal
    labels. `place`: which value in the label's row. `pattern`: a regular expression that the value
    holds; its first group, if it has one, is the value. `anywhere`: without a label, the pattern's
    first match on the page. `lines`: how many printed lines the value may run over. `unless`: other
    fields' keys and patterns; where the whole value of one matches, this field is not missed.
    """

    key: Key
    labels: list[str] = []
    hint: str = ""
    nth: Count = 1
    place: Count = 1
    pattern: str = ""
    anywhere: bool = False
    lines: Count = 1
    checks: list[Check] = []
    unless: dict[Key, str] = {}

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        return compiled(pattern)

    @field_validator("unless")
    @classmethod
    def _all_compile(cls, patterns: dict[str, str]) -> dict[str, str]:
        return {key: compiled(pattern) for key, pattern in patterns.items()}

    @model_validator(mode="after")
    def _findable(self) -> Self:
        if self.anywhere and not self.pattern:
            raise ValueError("a field found anywhere needs a pattern")
        return self


class FormAgreement(Strict):
    """Fields that must agree: of a "sum" the last is the total, of the others the identity number comes first."""

    kind: AgreementKind
    fields: Annotated[list[Key], Field(min_length=2)]


class FormRules(Strict):
    """A kind of document. `signs`: words printed on it, of which `least_signs` make a page one, where `shape` (a
    regular expression over the page's text without white space) is found too. `words`: other print
    that is no value. `reader`: "zone" for what is read from a machine-readable zone alone.
    """

    name: Name
    title: str = ""
    title_zh: str = ""
    signs: list[str] = []
    least_signs: Count = 2
    shape: str = ""
    words: list[str] = []
    fields: Annotated[list[FormField], Field(min_length=1)]
    agreements: list[FormAgreement] = []
    reader: Literal["labels", "zone"] = "labels"

    @field_validator("shape")
    @classmethod
    def _compiles(cls, shape: str) -> str:
        return compiled(shape)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = [field.key for field in self.fields]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"two fields have the same key: {', '.join(twice)}")
        unknown = sorted({key for each in self.agreements for key in each.fields} - set(keys))
        if unknown:
            raise ValueError(f"an agreement names fields that the form lacks: {', '.join(unknown)}")
        return self


def compiled(pattern: str) -> str:
    """`pattern` itself. Raises ValueError if it is not a regular expression."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern
