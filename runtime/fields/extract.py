"""Values found by layout: to the right of their label, else below it, else by what they look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.fields.forms import FieldRule, Form
from runtime.fields.spans import Span, part_of, spans_of, trimmed
from runtime.layout.geometry import joined_quad, levelled, skew
from runtime.layout.spacing import is_wide
from runtime.results import Line, Quad

_SAME_ROW = 0.4
"""Least part of the lower box's height that two spans of one row share; a page may curl."""
_BELOW = 2.5
"""How far under its label a value stands at most, in line heights."""
_CONTINUED = 0.8
"""How far apart the lines of one value stand at most, in line heights."""
_SAME_TYPE = 0.65
_STROKES = frozenset("1lI|/\\-_ ")
"""A line of these alone is a rule or a stamp's rim, not how a value goes on."""
_INDENT = 2.5
"""How far the lines of one value are indented against each other at most, in line heights."""


@dataclass(frozen=True)
class Found:
    """A value as printed, where it lies (pixels of the upright page), and the engine's confidence in it."""

    value: str
    quad: Quad
    score: float
    label_quad: Quad | None = None


def extract(lines: Sequence[Line], form: Form) -> dict[str, Found]:
    """The form's fields that the page has, by key, in the form's order."""
    labels = [label for rule in form.fields for label in rule.printed]
    spans = spans_of(lines, [*labels, *form.words])
    found: dict[str, Found] = {}
    for rule in form.fields:
        value = _by_label(rule, spans, lines) or (_anywhere(rule, lines) if rule.anywhere else None)
        if value is not None:
            found[rule.key] = value
    return found


def _by_label(rule: FieldRule, spans: Sequence[Span], lines: Sequence[Line]) -> Found | None:
    labels = [span for span in spans if span.label in rule.printed]
    labels = _in_reading_order(labels)
    if len(labels) < rule.nth:
        return None
    # One label may be printed where no value is, as in a heading: those after it have their turn.
    for label in labels[rule.nth - 1 :] if rule.nth == 1 else [labels[rule.nth - 1]]:
        if value := _beside(rule, label, spans, lines) or _below(rule, label, spans, lines):
            return value
    return None


def _in_reading_order(spans: Sequence[Span]) -> list[Span]:
    """By row, then left to right: two labels that share a row count in it from the left."""
    rows: list[list[Span]] = []
    for span in sorted(spans, key=lambda each: each.box.middle):
        if rows and rows[-1][0].box.rows_shared(span.box) >= _SAME_ROW:
            rows[-1].append(span)
        else:
            rows.append([span])
    return [span for row in rows for span in sorted(row, key=lambda each: each.box.left)]


def _beside(rule: FieldRule, label: Span, spans: Sequence[Span], lines: Sequence[Line]) -> Found | None:
    """In the label's row to its right, up to the next label."""
    row = sorted(
        (
            span
            for span in spans
            if span is not label
            and span.box.left >= label.box.right - label.box.height / 2
            and (span.line == label.line or span.box.rows_shared(label.box) >= _SAME_ROW)
        ),
        key=lambda each: each.box.left,
    )
    place = 0
    for span in row:
        if span.label:
            break
        if _matched(rule, span, lines) is None:
            continue
        place += 1
        if place == rule.place:
            return _whole(rule, label, span, spans, lines)
    return None


def _below(rule: FieldRule, label: Span, spans: Sequence[Span], lines: Sequence[Line]) -> Found | None:
    """Under the label, as in a table with a heading row."""
    near = [
        span
        for span in spans
        if span.line != label.line
        and span.box.middle > label.box.bottom
        and span.box.top - label.box.bottom <= _BELOW * label.box.height
        and min(span.box.right, label.box.right) > max(span.box.left, label.box.left)
        and not span.follows
    ]
    for span in sorted(near, key=lambda each: each.box.top):
        if span.label:
            return None
        if _matched(rule, span, lines) is not None:
            return _whole(rule, label, span, spans, lines)
    return None


def _whole(rule: FieldRule, label: Span, first: Span, spans: Sequence[Span], lines: Sequence[Line]) -> Found:
    """The value that begins with `first`, with the lines it runs on over."""
    parts = [first]
    while len(parts) < rule.lines:
        above = parts[-1]
        height = above.box.height
        following = [
            span
            for span in spans
            if not span.label
            and not span.follows
            and span.line != above.line
            and span.box.middle > above.box.bottom - height / 4
            and span.box.top - above.box.bottom <= _CONTINUED * height
            and abs(span.box.left - first.box.left) <= _INDENT * height
            and span.box.right <= first.box.right + 2 * height  # a line breaks for want of room
            and min(span.box.height, height) >= _SAME_TYPE * max(span.box.height, height)
            and not _STROKES.issuperset(span.text)
        ]
        if not following:
            break
        parts.append(min(following, key=lambda each: each.box.top))
    value, quad = _matched(rule, first, lines) or (first.text, first.quad)
    if len(parts) == 1:
        return Found(value, quad, first.score, label.quad)
    text = value
    for part in parts[1:]:
        solid = is_wide(text[-1]) or is_wide(part.text[0])
        text += ("" if solid else " ") + trimmed(part.text)
    return Found(text, _around([part.quad for part in parts]), min(part.score for part in parts), label.quad)


def _matched(rule: FieldRule, span: Span, lines: Sequence[Line]) -> tuple[str, Quad] | None:
    """The value within the span, and its place; None if the span holds none."""
    if not rule.pattern:
        return (span.text, span.quad) if span.text else None
    found = re.search(rule.pattern, span.text)
    if found is None:
        return None
    group = 1 if found.re.groups and found[1] is not None else 0
    if not found[group].strip():
        return None
    line = lines[span.line]
    offset = line.text.find(span.text)
    return found[group].strip(), part_of(line, offset + found.start(group), offset + found.end(group))


def _anywhere(rule: FieldRule, lines: Sequence[Line]) -> Found | None:
    angle = skew([line.box for line in lines])
    for line in lines:
        whole = Span(line.text, "", line.box, levelled(line.box, angle), line.score, lines.index(line))
        if matched := _matched(rule, whole, lines):
            return Found(*matched, line.score)
    return None


def _around(quads: Sequence[Quad]) -> Quad:
    if len(quads) == 1:
        return joined_quad(quads)
    xs = [x for quad in quads for x, _ in quad]
    ys = [y for quad in quads for _, y in quad]
    return (min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys))
