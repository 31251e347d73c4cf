"""From a page's lines to its fields: which form it is, its values, and what checks say of them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from runtime.fields.checks import agreement, verdicts_on
from runtime.fields.extract import Found, extract
from runtime.fields.forms import Form, of_keys
from runtime.fields.machine_readable import Zone, find_zone, zone_date, zone_verdict
from runtime.fields.spans import folded
from runtime.fields.verdicts import Verdict, unchecked
from runtime.results import Line, PageResult, Quad

Box1000 = tuple[int, int, int, int]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Field(_Frozen):
    """One field. `value` is as printed.

    `box`: its four corners in pixels of the upright page; `box_1000`: left, top, right, bottom of
    it in thousandths of the page's width and height; both None where no line bears the value out.
    `score`: the engine's confidence, 0..1.
    """

    key: str
    value: str
    box: Quad | None
    box_1000: Box1000 | None
    score: float
    checks: tuple[Verdict, ...] = ()


class Fields(_Frozen):
    """`form`: the form's name, or "keys" where only keys were asked for. `missing`: keys not found.

    `agreements`: what fields say of each other.
    """

    form: str
    fields: tuple[Field, ...]
    missing: tuple[str, ...] = ()
    agreements: tuple[Verdict, ...] = ()

    def flat(self) -> dict[str, str]:
        """Keys and values."""
        return {field.key: field.value for field in self.fields}


def choose(page: PageResult, forms: Sequence[Form]) -> Form | None:
    """The form that the page's print speaks for; None if it speaks for none."""
    print_ = folded("".join(line.text for line in page.lines))
    best: tuple[float, Form] | None = None
    for form in forms:
        weight = _weight(form, print_, page)
        if weight and (best is None or weight > best[0]):
            best = weight, form
    return None if best is None else best[1]


def read_fields(page: PageResult, form: Form) -> Fields:
    """The form's fields on this page."""
    found, verdicts = _from_zone(page, form) if form.reader == "zone" else (extract(page.lines, form), {})
    rules = {rule.key: rule for rule in form.fields}
    fields = tuple(
        Field(
            key=key,
            value=each.value,
            box=each.quad,
            box_1000=thousandths(each.quad, page.width, page.height),
            score=round(each.score, 4),
            checks=(*verdicts_on(each.value, rules[key].checks), *verdicts.get(key, ())),
        )
        for key, each in found.items()
    )
    values = {key: each.value for key, each in found.items()}
    agreed = (agreement(each.kind, each.fields, values) for each in form.agreements)
    return Fields(
        form=form.name,
        fields=fields,
        missing=_missing(form, values),
        agreements=tuple(verdict for verdict in agreed if verdict is not None),
    )


def _missing(form: Form, there: Mapping[str, str]) -> tuple[str, ...]:
    """Keys that the form should have and has no value for."""
    return tuple(rule.key for rule in form.fields if rule.key not in there and rule.is_wanted_beside(there))


def read_keys(page: PageResult, keys: Sequence[str], forms: Sequence[Form]) -> Fields:
    """The fields of these keys, by the page's own form where that has them."""
    return read_fields(page, of_keys(keys, choose(page, forms)))


def with_values(page: PageResult, form: Form, values: Mapping[str, str]) -> Fields:
    """Fields that an engine has read by itself, borne out by the page's lines where these hold them.

    A value that no line holds has no box, and a score of 0: nothing on the page speaks for it.
    """
    rules = {rule.key: rule for rule in form.fields}
    found = {key: value.strip() for key, value in values.items() if key in rules and value.strip()}
    fields = []
    for key, value in found.items():
        line = _holding(page, value)
        box = None if line is None else line.box
        fields.append(
            Field(
                key=key,
                value=value,
                box=box,
                box_1000=None if box is None else thousandths(box, page.width, page.height),
                score=0.0 if line is None else round(line.score, 4),
                checks=tuple(verdicts_on(value, rules[key].checks)),
            )
        )
    agreed = (agreement(each.kind, each.fields, found) for each in form.agreements)
    return Fields(
        form=form.name,
        fields=tuple(fields),
        missing=_missing(form, found),
        agreements=tuple(verdict for verdict in agreed if verdict is not None),
    )


def with_changes(before: Fields, page: PageResult, form: Form, values: Mapping[str, str]) -> Fields:
    """`before` with what a person made of it, checked again. `page`: its lines as they are now.

    An empty value is a field that is not there; one that was not found has no box and a score of 0.
    """
    rules = {rule.key: rule for rule in form.fields}
    known = {field.key: field for field in before.fields}
    there = {key: values[key] for key in (*known, *before.missing) if values.get(key)}
    zone = find_zone([line.text for line in page.lines]) if form.reader == "zone" else None
    fields = []
    for key, value in there.items():
        field = known.get(key) or Field(key=key, value=value, box=None, box_1000=None, score=0)
        rule = rules.get(key)
        checks = [] if rule is None else verdicts_on(value, rule.checks)
        if zone is not None and rule is not None and rule.labels:
            checks.append(_zone_verdict_on(zone, rule.labels[0], value))
        fields.append(field.model_copy(update={"value": value, "checks": tuple(checks)}))
    agreed = (agreement(each.kind, each.fields, there) for each in form.agreements)
    return Fields(
        form=before.form,
        fields=tuple(fields),
        missing=tuple(
            key
            for key in dict.fromkeys((*before.missing, *known))
            if key not in there and (key not in rules or rules[key].is_wanted_beside(there))
        ),
        agreements=tuple(verdict for verdict in agreed if verdict is not None),
    )


def _holding(page: PageResult, value: str) -> Line | None:
    """The shortest line that holds the value, or its first half where it runs on over lines."""
    sought = folded(value)
    for part in (sought, sought[: max(6, len(sought) // 2)]):
        holding = [line for line in page.lines if part and part in folded(line.text)]
        if holding:
            return min(holding, key=lambda line: len(line.text))
    return None


def thousandths(quad: Quad, width: int, height: int) -> Box1000:
    """Left, top, right and bottom of `quad` in thousandths of the page, 0..1000."""

    def part(value: float, whole: int) -> int:
        return min(1000, max(0, round(1000 * value / max(1, whole))))

    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    return part(min(xs), width), part(min(ys), height), part(max(xs), width), part(max(ys), height)


def _weight(form: Form, print_: str, page: PageResult) -> float:
    """How much of what the form prints is there, 0 if too little: signs, and labels for a finer choice."""
    if form.reader == "zone":
        return 2.0 if find_zone([line.text for line in page.lines]) else 0.0
    signs = sum(_has(print_, folded(sign)) for sign in form.signs)
    if signs < form.least_signs or (form.shape and not re.search(form.shape, print_)):
        return 0.0
    labels = sum(any(_has(print_, folded(label)) for label in rule.printed) for rule in form.fields)
    return signs / len(form.signs) + labels / max(1, len(form.fields)) / 2


def _has(print_: str, sign: str) -> bool:
    if not sign:
        return False
    if sign in print_:
        return True
    # One misread sign in a long word, at either end or within.
    return len(sign) >= 5 and any(sign[:cut] in print_ and sign[cut + 1 :] in print_ for cut in range(len(sign)))


def _from_zone(page: PageResult, form: Form) -> tuple[dict[str, Found], dict[str, tuple[Verdict, ...]]]:
    zone = find_zone([line.text for line in page.lines])
    if zone is None:
        return {}, {}
    values = _zone_values(zone, datetime.date.today())
    found: dict[str, Found] = {}
    verdicts: dict[str, tuple[Verdict, ...]] = {}
    for rule in form.fields:
        part = rule.labels[0] if rule.labels else rule.key
        value = values.get(part, "")
        if value:
            line = page.lines[zone.lines[0 if part in ("document", "issuer", "surname", "given_names") else 1]]
            found[rule.key] = Found(value, line.box, line.score)
            verdicts[rule.key] = (zone_verdict(zone, part),)
    return found, verdicts


def _zone_verdict_on(zone: Zone, part: str, value: str) -> Verdict:
    if _zone_values(zone, datetime.date.today()).get(part) == value:
        return zone_verdict(zone, part)
    return unchecked("machine-readable-zone", "It differs from what the zone holds.")


def _zone_values(zone: Zone, today: datetime.date) -> dict[str, str]:
    birth = zone_date(zone.birth, past=True, today=today)
    expiry = zone_date(zone.expiry, past=False, today=today)
    return {
        "document": zone.document,
        "issuer": zone.issuer,
        "surname": zone.surname,
        "given_names": zone.given_names,
        "number": zone.number,
        "nationality": zone.nationality,
        "birth": birth.isoformat() if birth else zone.birth,
        "sex": zone.sex,
        "expiry": expiry.isoformat() if expiry else zone.expiry,
    }
