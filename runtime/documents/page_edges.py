"""Where a sheet of paper lies in a photograph: its four corners. Runs in the cage.

Several views of the picture (brightness, saturation, edges) each give outlines; every outline that is
roughly a four-sided figure is pulled onto the strongest edges near its sides, and the one whose sides
lie on real edges, with paper within, wins.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from runtime.documents.parts import Corner, Corners

Picture = npt.NDArray[np.uint8]
_Array = npt.NDArray[Any]
"""What OpenCV gives back: its types say no more."""
Quadrangle = npt.NDArray[np.float32]
"""Four corners (x, y), clockwise from the one nearest to the top left."""

_WORK_SIDE = 512
"""Pixels: a sheet's edge is found to half a pixel of these, a fraction of a per cent of the picture."""
_LEAST_AREA, _MOST_AREA = 0.06, 0.985
_STEEPEST_COSINE = 0.6
"""Of a corner: seen from aside, a right angle looks like 53 to 127 degrees."""
_SAMPLES = 48
_BLOCK = 48
_PRINT_CONTRAST = 30
_LEAST_SUPPORT = 0.5


@dataclass(frozen=True)
class Edges:
    """`corners` in shares of width and height; `support`: how much of the outline lies on an edge, 0 to 1."""

    corners: Corners
    support: float


def find(rgb: Picture) -> Edges | None:
    """The sheet in a picture (height x width x 3); None where no four-sided outline is borne out by edges."""
    height, width = rgb.shape[:2]
    scale = min(1.0, _WORK_SIDE / max(height, width))
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
    smooth = cv2.medianBlur(small, 5)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB).astype(np.float32)
    slope = _slope(cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (3, 3), 0).astype(np.float32))
    best: tuple[float, float, Quadrangle] | None = None
    seen: list[Quadrangle] = []
    for outline in _outlines(smooth):
        for rough in _four_sided(outline, small.shape):
            if any(float(np.abs(rough - known).max()) < 4 for known in seen):
                continue
            seen.append(rough)
            fitted = _fitted(rough, slope)
            if fitted is None or not _plausible(fitted, small.shape):
                continue
            support = _support(fitted, slope)
            score = _score(fitted, support, lab)
            if best is None or score > best[0]:
                best = (score, support, fitted)
    if best is None or best[1] < _LEAST_SUPPORT:
        return None
    shares = best[2] / np.array([small.shape[1], small.shape[0]], np.float32)
    corners = [_share(float(x), float(y)) for x, y in shares]
    return Edges((corners[0], corners[1], corners[2], corners[3]), round(best[1], 3))


def _share(x: float, y: float) -> Corner:
    return round(min(1.0, max(0.0, x)), 5), round(min(1.0, max(0.0, y)), 5)


def flattened(rgb: Picture, corners: Corners) -> Picture:
    """The sheet within `corners` (shares), seen from straight above, about as large as it was in the picture."""
    height, width = rgb.shape[:2]
    seen = np.array([(x * width, y * height) for x, y in corners], np.float32)
    sides = [float(np.linalg.norm(seen[one] - seen[(one + 1) % 4])) for one in range(4)]
    across, down = max(8, round(max(sides[0], sides[2]))), max(8, round(max(sides[1], sides[3])))
    flat = np.array([(0, 0), (across, 0), (across, down), (0, down)], np.float32)
    turned = cv2.warpPerspective(
        rgb,
        cv2.getPerspectiveTransform(seen, flat),
        (across, down),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return turned.astype(np.uint8, copy=False)


def blur_px(rgb: Picture) -> float | None:
    """How wide the print's edges are smeared: about the sigma of a Gaussian blur, in pixels.

    A smeared edge of contrast C is nowhere steeper than C / (sigma * sqrt(2 pi)). Judged block by block where there
    is print, by the sharper quarter of them; None where there is none: an empty page, or one out of all focus.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    rows, columns = grey.shape[0] // _BLOCK, grey.shape[1] // _BLOCK
    if not rows or not columns:
        return None
    kept = grey[: rows * _BLOCK, : columns * _BLOCK].astype(np.float32)
    slopes = np.zeros_like(kept)
    slopes[:, :-1] = np.abs(np.diff(kept, axis=1))
    slopes[:-1] = np.maximum(slopes[:-1], np.abs(np.diff(kept, axis=0)))
    tones, steep = _blocks(kept, rows, columns), _blocks(slopes, rows, columns)
    contrast = np.percentile(tones, 97, axis=1) - np.percentile(tones, 3, axis=1)
    printed = contrast > _PRINT_CONTRAST
    if int(printed.sum()) < max(2, rows * columns // 100):
        return None
    widths = contrast[printed] / (np.percentile(steep[printed], 99.5, axis=1) * math.sqrt(2 * math.pi))
    return round(float(np.percentile(widths, 25)), 2)


def _blocks(grey: npt.NDArray[np.float32], rows: int, columns: int) -> npt.NDArray[np.float32]:
    cut = grey.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2)
    return cut.reshape(rows * columns, _BLOCK * _BLOCK)


def _outlines(smooth: _Array) -> Iterator[_Array]:
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
    saturation = cv2.cvtColor(smooth, cv2.COLOR_RGB2HSV)[:, :, 1]
    light = cv2.GaussianBlur(lab[:, :, 0], (5, 5), 0)
    close = cv2.getStructuringElement(cv2.MORPH_RECT, (9, 9))
    thin = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
    masks = [cv2.threshold(light, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]]
    masks.append(cv2.threshold(saturation, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)[1])
    # Uneven light: brighter than its wide surroundings, print within a sheet filled first.
    filled = cv2.morphologyEx(light, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (15, 15)))
    masks += [
        (filled > cv2.blur(filled, (side, side)).astype(np.int16) + 3).astype(np.uint8) * 255 for side in (151, 301)
    ]
    for share in (0.85, 0.75, 0.65):
        level = float(np.percentile(filled, 98)) * share
        masks.append((filled > level).astype(np.uint8) * 255)
    for mask in masks:
        opened = cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, close), cv2.MORPH_OPEN, close)
        yield from _contours(opened)
    for channel in (light, filled, saturation, lab[:, :, 1], lab[:, :, 2]):
        for low, high in ((10, 30), (25, 60), (50, 120)):
            edges = cv2.Canny(channel, low, high)
            yield from _contours(cv2.dilate(edges, thin))
            yield from _contours(cv2.morphologyEx(edges, cv2.MORPH_CLOSE, close))


def _contours(mask: _Array) -> Iterator[_Array]:
    least = _LEAST_AREA * mask.shape[0] * mask.shape[1]
    found, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in sorted(found, key=cv2.contourArea, reverse=True)[:6]:
        hull = cv2.convexHull(contour)
        if cv2.contourArea(hull) >= least:
            yield hull


def _four_sided(hull: _Array, shape: tuple[int, ...]) -> Iterator[Quadrangle]:
    """The hull's best four-sided likenesses; none where it is round or has many sides."""
    length = cv2.arcLength(hull, True)
    for share in (0.02, 0.04, 0.07):
        corners = cv2.approxPolyDP(hull, share * length, True)
        if len(corners) == 4:
            quadrangle = _in_order(corners.reshape(4, 2).astype(np.float32))
            if _plausible(quadrangle, shape):
                yield quadrangle
                return


def _in_order(corners: Quadrangle) -> Quadrangle:
    """Clockwise on the screen, from the corner nearest to the top left."""
    centre = corners.mean(axis=0)
    angles = np.arctan2(corners[:, 1] - centre[1], corners[:, 0] - centre[0])
    round_about = corners[np.argsort(angles)]
    return np.roll(round_about, -int(np.argmin(round_about.sum(axis=1))), axis=0)


def _plausible(corners: Quadrangle, shape: tuple[int, ...]) -> bool:
    share = cv2.contourArea(corners) / (shape[0] * shape[1])
    if not _LEAST_AREA <= share <= _MOST_AREA or not cv2.isContourConvex(corners.astype(np.int32)):
        return False
    for one in range(4):
        to, back = corners[(one + 1) % 4] - corners[one], corners[one - 1] - corners[one]
        lengths = float(np.linalg.norm(to) * np.linalg.norm(back))
        if lengths < 1 or abs(float(to @ back)) / lengths > _STEEPEST_COSINE:
            return False
    return True


def _slope(lab: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Per pixel the steepest change of brightness or colour: (height, width, 2), across and down."""
    across = np.stack([cv2.Sobel(lab[:, :, one], cv2.CV_32F, 1, 0) for one in range(3)], axis=-1)
    down = np.stack([cv2.Sobel(lab[:, :, one], cv2.CV_32F, 0, 1) for one in range(3)], axis=-1)
    steepest = np.argmax(across**2 + down**2, axis=-1)[..., None]
    return np.concatenate([np.take_along_axis(one, steepest, -1) for one in (across, down)], axis=-1)


def _fitted(rough: Quadrangle, slope: npt.NDArray[np.float32]) -> Quadrangle | None:
    """Each side moved onto the steepest change near it, twice, and the sides made to meet again."""
    fitted = rough
    for reach in (7, 3):
        lines = []
        for one in range(4):
            places, _ = _edge_near(fitted[one], fitted[(one + 1) % 4], slope, reach)
            if len(places) < _SAMPLES // 4:
                lines.append((fitted[one], fitted[(one + 1) % 4] - fitted[one]))
                continue
            lines.append(_line_through(places))
        corners = [_crossing(lines[one - 1], lines[one]) for one in range(4)]
        if any(corner is None for corner in corners):
            return None
        fitted = np.array(corners, np.float32)
        if float(np.abs(fitted - rough).max()) > 20:
            return None
    return fitted


def _edge_near(
    start: npt.NDArray[np.float32], end: npt.NDArray[np.float32], slope: npt.NDArray[np.float32], reach: int
) -> tuple[Quadrangle, npt.NDArray[np.float32]]:
    """Along the side, the place within `reach` pixels where the picture changes most across it."""
    along = end - start
    length = float(np.linalg.norm(along))
    normal = np.array([-along[1], along[0]], np.float32) / max(length, 1e-6)
    stops = np.linspace(0.04, 0.96, _SAMPLES, dtype=np.float32)
    offsets = np.arange(-reach, reach + 0.5, 0.5, dtype=np.float32)
    places = start + stops[:, None, None] * along + offsets[None, :, None] * normal
    steepness = np.abs(_sampled(slope, places) @ normal)
    best = np.argmax(steepness, axis=1)
    peak = steepness[np.arange(_SAMPLES), best]
    kept = peak > 8
    return places[np.arange(_SAMPLES), best][kept], peak[kept]


def _sampled(slope: npt.NDArray[np.float32], places: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    across = np.clip(np.rint(places[..., 0]).astype(int), 0, slope.shape[1] - 1)
    down = np.clip(np.rint(places[..., 1]).astype(int), 0, slope.shape[0] - 1)
    picked: npt.NDArray[np.float32] = slope[down, across]
    return picked


Line = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


def _line_through(places: Quadrangle) -> Line:
    """A line that most places lie on; those that lie off it (a pen, a thumb, print) count for little."""
    vx, vy, x, y = cv2.fitLine(places, cv2.DIST_WELSCH, 0, 0.01, 0.01).ravel()
    return np.array([x, y], np.float32), np.array([vx, vy], np.float32)


def _crossing(one: Line, other: Line) -> npt.NDArray[np.float32] | None:
    (start, along), (place, way) = one, other
    across = float(along[0] * way[1] - along[1] * way[0])
    if abs(across) < 1e-3:
        return None
    gap = place - start
    step = float(gap[0] * way[1] - gap[1] * way[0]) / across
    met: npt.NDArray[np.float32] = start + step * along
    return met


def _support(corners: Quadrangle, slope: npt.NDArray[np.float32]) -> float:
    """The share of the outline on which the picture changes across it; the weakest side counts double."""
    shares = []
    for one in range(4):
        start, end = corners[one], corners[(one + 1) % 4]
        _, peaks = _edge_near(start, end, slope, 2)
        strong = float((peaks > 16).sum()) / _SAMPLES
        shares.append(strong)
    return (sum(shares) + min(shares)) / 5


def _score(corners: Quadrangle, support: float, lab: npt.NDArray[np.float32]) -> float:
    """Support first; then paper within and something else without, and the larger of two."""
    height, width = lab.shape[:2]
    centre = corners.mean(axis=0)
    inner = _ring(lab, centre + (corners - centre) * 0.95)
    outer = _ring(lab, centre + (corners - centre) * 1.06)
    contrast = min(1.0, float(np.linalg.norm(inner - outer)) / 40)
    lighter = 1.0 if inner[0] > outer[0] else 0.0
    area = float(cv2.contourArea(corners)) / (height * width)
    touching = float(
        ((corners[:, 0] < 2) | (corners[:, 0] > width - 3) | (corners[:, 1] < 2) | (corners[:, 1] > height - 3)).mean()
    )
    return 2 * support + 0.6 * contrast + 0.25 * lighter + 0.5 * math.sqrt(area) - 0.5 * touching


def _ring(lab: npt.NDArray[np.float32], corners: Quadrangle) -> npt.NDArray[np.float32]:
    """The median colour along an outline."""
    stops = np.linspace(0, 1, 40, dtype=np.float32)[:, None]
    places = np.concatenate([corners[one] + stops * (corners[(one + 1) % 4] - corners[one]) for one in range(4)])
    inside = (places[:, 0] >= 0) & (places[:, 0] < lab.shape[1]) & (places[:, 1] >= 0) & (places[:, 1] < lab.shape[0])
    if not inside.any():
        return np.zeros(3, np.float32)
    picked = places[inside].astype(int)
    median: npt.NDArray[np.float32] = np.median(lab[picked[:, 1], picked[:, 0]], axis=0)
    return median
