"""Crops of lines as Tesseract reads them best."""

from __future__ import annotations

import cv2
import numpy as np

from runtime.engine.crops import Pixels, crop
from runtime.results import Point, Quad
from runtime.scripts.tesseract import Grey

_HEIGHT = 40
"""Of a line with its room above and below, in pixels; 36 to 48 read alike, 64 worse (measured)."""
_MARGIN = 24
_SECOND_HEIGHT, _SECOND_MARGIN = 48, 12
_ROOM = 0.15
"""What is added above and below a detected line, in its heights: vowel signs stand there."""


def line_image(page: Pixels, quad: Quad) -> Pixels:
    """The line cut out with room above and below."""
    return crop(
        page, (_away(quad[0], quad[3]), _away(quad[1], quad[2]), _away(quad[2], quad[1]), _away(quad[3], quad[0]))
    )


def prepared(line: Pixels, *, second: bool = False) -> Grey:
    """Grey, of one height, on paper of its own colour. `second`: for another try, cut otherwise."""
    height, margin = (_SECOND_HEIGHT, _SECOND_MARGIN) if second else (_HEIGHT, _MARGIN)
    grey = cv2.cvtColor(line, cv2.COLOR_BGR2GRAY)
    scale = height / grey.shape[0]
    size = (max(8, round(grey.shape[1] * scale)), height)
    scaled = cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    paper = int(np.percentile(scaled, 90))
    around = cv2.copyMakeBorder(scaled, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=paper)
    return np.asarray(around, np.uint8)


def word_image(line: Grey, left: int, right: int) -> Pixels:
    """Part of a prepared line as the other reader takes it."""
    part = line[_MARGIN // 2 : -(_MARGIN // 2), max(0, left - 4) : right + 4]
    return np.asarray(cv2.cvtColor(part, cv2.COLOR_GRAY2BGR), np.uint8)


def _away(point: Point, other: Point) -> Point:
    return point[0] + _ROOM * (point[0] - other[0]), point[1] + _ROOM * (point[1] - other[1])
