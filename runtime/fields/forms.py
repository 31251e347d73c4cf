"""Forms as data: what is printed on them, what is wanted of them, what must hold.

The station's own are in `forms.json`; operators add theirs under `forms:` in the configuration,
in the same shape. A form of the same name replaces the station's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveInt, field_validator, model_validator

from runtime.fields.checks import AGREEMENTS, CHECKS

_BUILT_IN = Path(__file__).with_name("forms.json")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldRule(_Strict):
    """One field.

    `labels`: what is printed beside or above the value, in any of the form's wordings; without
    any, the key itself. `hint`: told to engines that are asked in words. `nth`: which of several
    equal labels, top to bottom and left to right. `place`: which value in the label's row.
    `pattern`: a regular expression that the value must hold; what it matches is the value, and its
    first group if it has one. `anywhere`: without a label the first match on the page is taken.
    `lines`: over how many printed lines the value may run. `unless`: other fields' keys and patterns;
    where the whole value of one matches, this field is not printed, and nobody misses it.
    """

    key: str
    labels: tuple[str, ...] = ()
    hint: str = ""
    nth: PositiveInt = 1
    place: PositiveInt = 1
    pattern: str = ""
    anywhere: bool = False
    lines: PositiveInt = 1
    checks: tuple[str, ...] = ()
    unless: dict[str, str] = {}

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return pattern

    @field_validator("unless")
    @classmethod
    def _all_compile(cls, patterns: dict[str, str]) -> dict[str, str]:
        for pattern in patterns.values():
            cls._compiles(pattern)
        return patterns

    @field_validator("checks")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in CHECKS:
                raise ValueError(f"no check {name!r}; there are {', '.join(CHECKS)}")
        return names

    @model_validator(mode="after")
    def _findable(self) -> FieldRule:
        if self.anywhere and not self.pattern:
            raise ValueError("a field found anywhere needs a pattern")
        return self

    @property
    def printed(self) -> tuple[str, ...]:
        """The labels, or the key that stands for them."""
        return self.labels or (self.key,)

    def is_wanted_beside(self, values: Mapping[str, str]) -> bool:
        """Whether it is printed on a form with these values of other fields."""
        return not any(re.fullmatch(pattern, values.get(key, "")) for key, pattern in self.unless.items())


class Agreement(_Strict):
    """Fields that must agree; for "sum" the last is the total, for the rest the identity number is first."""

    kind: str
    fields: tuple[str, ...]

    @field_validator("kind")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in AGREEMENTS:
            raise ValueError(f"no agreement {name!r}; there are {', '.join(AGREEMENTS)}")
        return name


class Form(_Strict):
    """A kind of document.

    `signs`: words printed on it; a page with at least `least_signs` of them, and with `shape` (a
    regular expression over the text without white space), may be one. `words`: other print that is
    no value. `reader`: "labels", or "zone" for what is read from a machine-readable zone alone.
    """

    name: str
    title: str = ""
    title_zh: str = ""
    signs: tuple[str, ...] = ()
    least_signs: PositiveInt = 2
    shape: str = ""
    words: tuple[str, ...] = ()
    fields: tuple[FieldRule, ...]
    agreements: tuple[Agreement, ...] = ()
    reader: Literal["labels", "zone"] = "labels"

    @model_validator(mode="after")
    def _consistent(self) -> Form:
        keys = [rule.key for rule in self.fields]
        if len(set(keys)) < len(keys):
            raise ValueError("two fields have the same key")
        for each in self.agreements:
            unknown = set(each.fields) - set(keys)
            if unknown:
                raise ValueError(f"an agreement names fields that the form lacks: {', '.join(sorted(unknown))}")
        return self


@cache
def built_in() -> tuple[Form, ...]:
    """The station's own forms."""
    return tuple(Form.model_validate(each) for each in json.loads(_BUILT_IN.read_text(encoding="utf-8")))


def with_own(own: Sequence[Form]) -> tuple[Form, ...]:
    """The operator's forms, then the station's that they do not replace."""
    names = {form.name for form in own}
    return (*own, *(form for form in built_in() if form.name not in names))


def of_keys(keys: Sequence[str], known: Form | None) -> Form:
    """A form of just these keys: `known`'s rules where it has them, else the key as its own label."""
    rules = {} if known is None else {rule.key: rule for rule in known.fields}
    chosen = tuple(rules.get(key) or FieldRule(key=key) for key in dict.fromkeys(keys))
    kept = {rule.key for rule in chosen}
    return Form(
        name="keys" if known is None else known.name,
        fields=chosen,
        words=()
        if known is None
        else (*known.words, *(w for r in known.fields if r.key not in kept for w in r.printed)),
        agreements=() if known is None else tuple(a for a in known.agreements if set(a.fields) <= kept),
        reader="labels" if known is None else known.reader,
    )
