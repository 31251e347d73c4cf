"""Cutting lines out of a page, and setting vertical writing as a horizontal line."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.results import Quad

Pixels = NDArray[np.uint8]
"""Height x width x 3."""

_TALL = 1.5


def crop(page: Pixels, quad: Quad) -> Pixels:
    """The quadrilateral straightened to a rectangle, at least 2 x 2 pixels, not turned."""
    width = max(2, round(max(math.dist(quad[0], quad[1]), math.dist(quad[3], quad[2]))))
    height = max(2, round(max(math.dist(quad[0], quad[3]), math.dist(quad[1], quad[2]))))
    source = np.asarray(quad, np.float32)
    target = np.asarray([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    flat = cv2.warpPerspective(
        page,
        cv2.getPerspectiveTransform(source, target),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(flat, np.uint8)


def is_tall(line: Pixels) -> bool:
    """True of a crop that is no horizontal line: sideways, vertical writing, or one narrow sign."""
    return bool(line.shape[0] >= _TALL * line.shape[1])


def turned(pixels: Pixels, clockwise: int) -> Pixels:
    """Turned by 0, 90, 180 or 270 degrees clockwise, as contiguous memory."""
    return np.ascontiguousarray(np.rot90(pixels, -clockwise // 90 % 4))


def laid_flat(column: Pixels) -> Pixels:
    """Vertical writing as a horizontal line: cut into cells as high as wide, set side by side."""
    height, width = column.shape[:2]
    cells = max(1, round(height / width))
    edges = np.linspace(0, height, cells + 1).round().astype(int)
    side = max(2, round(height / cells))
    return np.ascontiguousarray(
        np.hstack([cv2.resize(column[top:bottom], (width, side)) for top, bottom in pairwise(edges)])
    )
