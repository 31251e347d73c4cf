"""PP-OCR's three stages around their networks: pixels to boxes, lines to "on its head", lines to text.

What comes after the networks is RapidOCR's own code. What comes before them is written here, to
RapidOCR's numbers (rapidocr 3.10, ch_ppocr_det, ch_ppocr_cls, ch_ppocr_rec).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidocr.ch_ppocr_det.utils import DBPostProcess
from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode

from runtime.engine.crops import Pixels
from runtime.engine.rapidocr_backend import Backend, Floats

BATCH = 6
_HEIGHT = 48
_LEAST_WIDTH = 320
_WIDTH_STEP = 64
"""Lines are padded to a multiple of this: kernels are compiled for each width, and kept."""
_CLASSIFIED_WIDTH = 192


class Stages:
    """May be called from several threads, as its back end may."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        # Dilation closes narrow gutters, and a line joined across one is read in two columns.
        self._boxes = DBPostProcess(thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=False)
        self._letters = CTCLabelDecode(character=list(backend.characters))

    def detect(self, page: Pixels) -> NDArray[np.float64]:
        """Boxes of lines, N x 4 x 2, in pixels of `page`, whose sides 32 divides."""
        given = cv2.dnn.blobFromImage(page, 1 / 127.5, mean=(127.5, 127.5, 127.5))
        boxes, _ = self._boxes(self.backend.detect(np.asarray(given, np.float32)), page.shape[:2])
        return np.asarray(boxes, np.float64).reshape(-1, 4, 2)

    def on_head(self, lines: Sequence[Pixels]) -> list[bool]:
        """Whether each line is upside down."""
        found: list[bool] = []
        for start in range(0, len(lines), BATCH):
            given = np.stack([_normalised(line, _CLASSIFIED_WIDTH) for line in lines[start : start + BATCH]])
            found += [bool(turned > upright) for upright, turned in self.backend.classify(given)]
        return found

    def read(self, lines: Sequence[Pixels]) -> list[tuple[str, float]]:
        """Text and score of each line; those of like shape share a batch."""
        found = [("", 0.0)] * len(lines)
        by_shape = sorted(range(len(lines)), key=lambda index: _slenderness(lines[index]))
        for start in range(0, len(lines), BATCH):
            chosen = by_shape[start : start + BATCH]
            width = max(_LEAST_WIDTH, int(_HEIGHT * _slenderness(lines[chosen[-1]])))
            width = math.ceil(width / _WIDTH_STEP) * _WIDTH_STEP
            given = np.stack([_normalised(lines[index], width) for index in chosen])
            letters, probabilities = self.backend.recognise(given)
            read, _ = self._letters.decode(letters, probabilities, remove_duplicate=True)
            for index, (text, score) in zip(chosen, read, strict=True):
                found[index] = (str(text), float(score))
        return found


def _slenderness(line: Pixels) -> float:
    return float(line.shape[1] / line.shape[0])


def _normalised(line: Pixels, width: int) -> Floats:
    """3 x 48 x `width`, from -1 to 1, zero to the right of the line."""
    own_width = min(width, math.ceil(_HEIGHT * _slenderness(line)))
    padded = np.zeros((3, _HEIGHT, width), np.float32)
    scaled = cv2.resize(line, (own_width, _HEIGHT))
    padded[:, :, :own_width] = scaled.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
    return padded
