"""The CPU engine: PP-OCRv6 with the models that RapidOCR's wheel carries.

RapidOCR's own pipeline is not used, only what its three stages are made of: it would sort lines row by row across
columns, turn single lines on a classifier's mistake, and report nothing until a page is done.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean, median

import numpy as np

from runtime.config import EngineConfig
from runtime.engine.contract import Cancelled, Engine, OnProgress
from runtime.engine.crops import Pixels, crop, is_tall, laid_flat, turned
from runtime.engine.other_scripts import OtherScripts, Read, unread_lines
from runtime.engine.parting import parted
from runtime.engine.rapidocr_backend import CLASSIFIER, DETECTOR, RECOGNISER, BackendName, open_backend
from runtime.engine.rapidocr_stages import BATCH, Stages
from runtime.engine.turning import Rotation, from_top_left, half_turn, rotation_of
from runtime.layout.geometry import Fragment
from runtime.layout.reading_order import arrange
from runtime.results import EngineInfo, PageResult, Progress, Quad
from runtime.scripts.reader import ScriptReader
from runtime.tasks.task import Ask, Task

log = logging.getLogger(__name__)

_MODELS = (DETECTOR, CLASSIFIER, RECOGNISER)
_DETECT_SIDE = 1280
"""Longest side, in pixels, at which lines are looked for; measured: dearer sizes find no more, and
join lines across gutters more often."""
_DETECT_SHORT_SIDE = 736
_DETECT_SIDE_FINE = 2240
_FINE_PRINT = 13.0
"""Line boxes lower than this in the detector's pixels: look again, larger."""
_LEAST_SCORE = 0.5
"""Lines the recogniser believes in less than this are dust, pictures and borders."""
_DOUBTFUL_PAGE = 0.8


class RapidOcrEngine(Engine):
    """`threads`: of one network; 0 for as many as there are cores. `backend`, `trials`: see `open_backend`.
    `languages`: of Tesseract, for scripts that PP-OCRv6 lacks; None where there is no Tesseract."""

    def __init__(
        self,
        *,
        threads: int = 0,
        backend: BackendName = "auto",
        trials: Path | None = None,
        languages: Sequence[str] | None = None,
    ) -> None:
        self._threads = max(0, threads)
        self._wanted = backend
        self._trials = trials
        self._opened: Stages | None = None
        workers = threads if threads > 0 else os.cpu_count() or 1
        self._scripts = None if languages is None else ScriptReader(languages, workers=workers)
        self._others = None if self._scripts is None else OtherScripts(self._scripts)

    @classmethod
    def configured(cls, config: EngineConfig) -> RapidOcrEngine:
        trials = config.socket.with_suffix(".openvino-trials")
        return cls(threads=config.threads_each, backend=config.backend, trials=trials, languages=config.languages)

    def info(self) -> EngineInfo:
        languages = () if self._scripts is None else self._scripts.languages
        data = tuple(f"{language}.traineddata" for language in languages)
        return EngineInfo(name="rapidocr", version=version("rapidocr"), models=(*_MODELS, *data))

    def tasks(self) -> tuple[Task, ...]:
        return Task.TEXT, Task.SPOTTING

    def why_not(self) -> str:
        return "rapidocr reads lines of text; it has no model for layout, tables, formulas, fields or translation."

    def why_not_zh(self) -> str:
        return "rapidocr 只识别文字行，没有版面、表格、公式、字段或翻译的模型。"

    def load(self) -> None:
        """Raises FileNotFoundError if a model, the wheel's or Tesseract's, is not there: nothing is ever fetched."""
        models = models_folder()
        missing = [name for name in _MODELS if not (models / name).is_file()]
        if missing:
            raise FileNotFoundError(f"not in {models}: {', '.join(missing)}")
        if self._scripts is not None:
            self._scripts.load()
        opened = open_backend(models, wanted=self._wanted, threads=self._threads, trials=self._trials)
        self._opened = Stages(opened)
        log.info("the models are run by %s", opened.name)

    @property
    def _stages(self) -> Stages:
        assert self._opened is not None, "load() comes first"
        return self._opened

    def read(self, page: Pixels, ask: Ask, on_progress: OnProgress, cancelled: threading.Event) -> PageResult:
        started = time.monotonic()
        on_progress(Progress(stage="detect"))
        stored = upright = _bgr(page)
        quads = stored_quads = self._detect(upright)
        _stop_if(cancelled)
        rotation = rotation_of(upright, quads, self._on_head, self._scores)
        if rotation:
            upright = turned(upright, rotation)
            quads = self._detect(upright)
        quads = parted(upright, quads)
        reads = self._recognise(upright, quads, on_progress, cancelled)
        if not rotation and reads and fmean(read.score for read in reads) < _DOUBTFUL_PAGE:
            rotation = half_turn(upright, quads, self._scores)
            if rotation:
                upright = turned(upright, rotation)
                quads = parted(upright, self._detect(upright))
                reads = self._recognise(upright, quads, on_progress, cancelled)
        if self._others is not None and reads:

            def go_on() -> None:
                """Each language tried is a step of its own, or many would be taken for a hang."""
                _stop_if(cancelled)
                on_progress(Progress(stage="recognise", done=len(quads), total=len(quads)))

            if fmean(read.score for read in reads) < _DOUBTFUL_PAGE:
                way_up = self._others.way_up(stored, stored_quads, go_on)
                if way_up is not None and way_up != rotation:
                    rotation, upright = way_up, turned(stored, way_up)
                    quads = parted(upright, self._detect(upright))
                    reads = self._recognise(upright, quads, on_progress, cancelled)
            reads = self._others.read(upright, quads, reads, self._words, go_on)
        result = self._result(upright, quads, reads, rotation, time.monotonic() - started)
        return result.model_copy(update={"task": ask.task})

    def _result(
        self,
        upright: Pixels,
        quads: Sequence[Quad],
        reads: Sequence[Read],
        rotation: Rotation,
        elapsed_s: float,
    ) -> PageResult:
        arranged = arrange(
            [
                Fragment(read.text, quad, read.score, read.reader)
                for quad, read in zip(quads, reads, strict=True)
                if read.score >= _LEAST_SCORE
            ]
        )
        unread = unread_lines(reads, quads)
        return PageResult(
            text=arranged.text,
            lines=arranged.lines,
            unread=unread,
            warnings=("unread-script",) if unread else (),
            width=upright.shape[1],
            height=upright.shape[0],
            rotation=rotation,
            engine=self.info(),
            elapsed_s=round(elapsed_s, 3),
        )

    def _detect(self, page: Pixels) -> list[Quad]:
        """Lines of the page. What it costs grows with the pixels looked at, so a page is enlarged, or
        looked at in full, only where its print turns out to be fine."""
        height, width = page.shape[:2]
        scale = min(1.0, _DETECT_SIDE / max(height, width))
        quads = self._detect_at(page, scale)
        if quads and scale * median(quad[3][1] - quad[0][1] for quad in quads) >= _FINE_PRINT:
            return quads
        finer = min(1.0, _DETECT_SIDE_FINE / max(height, width))
        if scale == 1.0:
            finer = min(_DETECT_SIDE / max(height, width), _DETECT_SHORT_SIDE / min(height, width))
        return self._detect_at(page, finer) if finer > scale else quads

    def _detect_at(self, page: Pixels, scale: float) -> list[Quad]:
        """Quads in pixels of `page`, within it. The detector wants sides that 32 divides."""
        import cv2

        height, width = page.shape[:2]
        size = (max(32, round(width * scale / 32) * 32), max(32, round(height * scale / 32) * 32))
        shrinks = scale < 1
        scaled = cv2.resize(page, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        points = self._stages.detect(np.asarray(scaled, np.uint8)) * (width / size[0], height / size[1])
        points = np.clip(points, 0, (width, height)).round(1)
        return [from_top_left(tuple((float(x), float(y)) for x, y in quad)) for quad in points]  # type: ignore[arg-type]

    def _on_head(self, lines: Sequence[Pixels]) -> list[bool]:
        return self._stages.on_head(lines)

    def _scores(self, lines: Sequence[Pixels]) -> list[float]:
        return [read.score for read in self._read_lines(lines)]

    def _words(self, words: Sequence[Pixels]) -> list[tuple[str, float]]:
        return [(read.text, read.score) for read in self._read_lines(words)]

    def _read_lines(self, lines: Sequence[Pixels]) -> list[Read]:
        return [Read(text, score) for text, score in self._stages.read(lines)]

    def _recognise(
        self, page: Pixels, quads: Sequence[Quad], on_progress: OnProgress, cancelled: threading.Event
    ) -> list[Read]:
        """The text of each quad, in their order; lines of like length share a batch."""
        reads = [Read("", 0.0)] * len(quads)
        by_shape = sorted(range(len(quads)), key=lambda index: _slenderness(quads[index]))
        for start in range(0, len(by_shape), BATCH):
            _stop_if(cancelled)
            on_progress(Progress(stage="recognise", done=start, total=len(quads)))
            chosen = by_shape[start : start + BATCH]
            for index, read in zip(chosen, self._read_any([crop(page, quads[i]) for i in chosen]), strict=True):
                reads[index] = read
        on_progress(Progress(stage="recognise", done=len(quads), total=len(quads)))
        return reads

    def _read_any(self, lines: Sequence[Pixels]) -> list[Read]:
        """Tall crops are read every way they could be meant: one sign, sideways, vertical writing."""
        reads = self._read_lines(lines)
        for index, line in enumerate(lines):
            if is_tall(line):
                ways = self._read_lines([turned(line, 270), laid_flat(line)])
                reads[index] = max(reads[index], *ways, key=lambda read: read.score)
        return reads


def _bgr(page: Pixels) -> Pixels:
    """What the models were trained on. By OpenCV, in a fiftieth of the time that numpy takes to turn RGB round."""
    import cv2

    return np.asarray(cv2.cvtColor(page, cv2.COLOR_RGB2BGR), np.uint8)


def _slenderness(quad: Quad) -> float:
    return (quad[1][0] - quad[0][0]) / max(1.0, quad[3][1] - quad[0][1])


def models_folder() -> Path:
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("rapidocr is not installed")
    return Path(spec.origin).parent / "models"


def _stop_if(cancelled: threading.Event) -> None:
    if cancelled.is_set():
        raise Cancelled
