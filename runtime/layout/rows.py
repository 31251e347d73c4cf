"""Printed lines, put together from the pieces in which the detector found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from runtime.layout.direction import runs_left
from runtime.layout.geometry import Box, Fragment, around, joined_quad
from runtime.layout.spacing import join
from runtime.results import Quad

_WORD_GAP = 1.2
"""White wider than this many line heights is never the space between two words."""
_SAME_ROW = 0.6
_SAME_TYPE = 0.65
"""Heights whose ratio is at least this are the same size of type."""
_NEIGHBOURHOOD = 3.0
"""How far above and below, in line heights, a gutter must go on to be one."""


@dataclass(frozen=True)
class Row:
    """A printed line. `box` is level (skew taken out); `quad` is where it lies on the page."""

    text: str
    box: Box
    quad: Quad
    score: float
    reader: str | None = None


@dataclass(frozen=True)
class _Piece:
    fragment: Fragment
    box: Box


def rows_of(fragments: Sequence[Fragment], boxes: Sequence[Box]) -> list[Row]:
    """Join pieces that are words of one line; leave apart what a gutter parts. Order is top to bottom."""
    pieces = [_Piece(fragment, box) for fragment, box in zip(fragments, boxes, strict=True)]
    chains: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda each: each.box.left):
        fitting = [chain for chain in chains if _is_next_word(chain[-1].box, piece.box, boxes)]
        if fitting:
            max(fitting, key=lambda chain: chain[-1].box.right).append(piece)
        else:
            chains.append([piece])
    return sorted((_row(chain) for chain in chains), key=lambda row: (row.box.middle, row.box.left))


def _is_next_word(left: Box, right: Box, boxes: Sequence[Box]) -> bool:
    height = max(left.height, right.height)
    gap = right.left - left.right
    return (
        min(left.height, right.height) >= _SAME_TYPE * height
        and left.rows_shared(right) >= _SAME_ROW
        and -height <= gap <= _WORD_GAP * height
        and not _is_gutter(left, right, boxes)
    )


def _is_gutter(left: Box, right: Box, boxes: Sequence[Box]) -> bool:
    """True if the white between two boxes goes on between the lines of like type above or below.

    More neighbours must respect it than cross it: now and then a detector joins across a gutter.
    """
    height = max(left.height, right.height)
    middle = (left.right + right.left) / 2
    near = [
        box
        for box in boxes
        if min(box.height, height) >= _SAME_TYPE * max(box.height, height)
        and abs(box.middle - (left.middle + right.middle) / 2) <= _NEIGHBOURHOOD * height
        and box.rows_shared(left) < _SAME_ROW
        and box.rows_shared(right) < _SAME_ROW
    ]
    margin = height / 4
    crossing = [box for box in near if box.left < middle - margin and box.right > middle + margin]
    before = [box for box in near if box.right <= middle + margin and box.right > left.left]
    after = [box for box in near if box.left >= middle - margin and box.left < right.right]
    return min(len(before), len(after)) > len(crossing)


def _row(chain: list[_Piece]) -> Row:
    box = around(piece.box for piece in chain)
    gaps = [(after.box.left - before.box.right) / max(1.0, box.height) for before, after in pairwise(chain)]
    fragments = [piece.fragment for piece in chain]
    weights = [max(1, len(fragment.text)) for fragment in fragments]
    score = sum(f.score * weight for f, weight in zip(fragments, weights, strict=True)) / sum(weights)
    texts = [fragment.text for fragment in fragments]
    if runs_left("".join(texts)):
        texts.reverse()
        gaps.reverse()
    readers = dict.fromkeys(fragment.reader for fragment in fragments if fragment.reader)
    return Row(
        text=join(texts, gaps),
        box=box,
        quad=joined_quad([fragment.quad for fragment in fragments]),
        score=min(1.0, max(0.0, score)),
        reader="+".join(readers) or None,
    )
