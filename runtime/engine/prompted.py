"""What engines with a language model share: prompts, the page as the model takes it, and its answer read."""

from __future__ import annotations

import logging
import threading
import time
from abc import abstractmethod
from pathlib import Path

import numpy as np
from PIL import Image

from runtime.config import EngineConfig, ModelConfig
from runtime.engine.contract import Engine, OnProgress
from runtime.engine.crops import Pixels
from runtime.engine.wire import Loading
from runtime.results import EngineInfo, Finish, PageResult, Progress
from runtime.tasks.answers import Answer, Token, content
from runtime.tasks.prompts import prompt, tasks_of
from runtime.tasks.repetition import TailGuard
from runtime.tasks.task import Ask, Task

log = logging.getLogger(__name__)

_GOLDEN = Path(__file__).parents[1] / "tasks/golden.png"
_GOLDEN_WORD = "INKSTICK"
_GOLDEN_TOKENS = 64
_LONGEST_RATIO = 190
"""Of a page's sides: from 200 on, HunYuanVL's processor refuses the image."""
_TELL_EVERY_S = 0.1


class Writing:
    """The answer as it comes. `repeating` is set once its end repeats itself, if `guarded`; then stop writing."""

    def __init__(self, on_progress: OnProgress, *, guarded: bool = True) -> None:
        self.text = ""
        self.tokens: list[Token] = []
        self.repeating = False
        self._guard = TailGuard() if guarded else None
        self._on_progress = on_progress
        self._told_characters = 0
        self._told_at = time.monotonic()

    def add(self, piece: str, numbers: list[int], logprobs: list[float]) -> None:
        """`piece` was written by the tokens `numbers`, of natural logarithms of probability `logprobs`."""
        start = len(self.text)
        self.tokens += [Token(number, start, sure) for number, sure in zip(numbers, logprobs, strict=True)]
        self.text += piece
        if self._guard is not None and self._guard.loops(self.text):
            self.repeating = True
        if self.repeating or time.monotonic() - self._told_at >= _TELL_EVERY_S:
            self.tell()

    def tell(self) -> None:
        """Report what was not reported yet."""
        if len(self.text) > self._told_characters:
            piece = self.text[self._told_characters :]
            self._on_progress(Progress(stage="recognise", done=len(self.tokens), text=piece))
        self._told_characters, self._told_at = len(self.text), time.monotonic()


class PromptedEngine(Engine):
    """`_start` and `_write` are what differs between the programs that run the model."""

    def __init__(self, model: ModelConfig, *, name: str, version: str) -> None:
        self.model = model
        self._on_trial = False
        self._info = EngineInfo(
            name=name, version=version, models=(f"HunyuanOCR {model.generation} ({model.folder.name})",)
        )

    @abstractmethod
    def _start(self) -> None:
        """Bring the model into memory. Raises anything if that fails."""

    @abstractmethod
    def _write(
        self, page: Image.Image, words: str, limit: int, writing: Writing, cancelled: threading.Event
    ) -> Finish:
        """Ask the model `words` about `page`, at most `limit` tokens; stop when `writing.repeating`.

        Greedy, with the sampling that the model's generation wants. Raises Cancelled or Gone.
        """

    def info(self) -> EngineInfo:
        return self._info

    def tasks(self) -> tuple[Task, ...]:
        return tasks_of(self.model.generation)

    def why_not(self) -> str:
        missing = self._missing()
        return f"HunyuanOCR {self.model.generation} has no official prompt for: {missing}." if missing else ""

    def why_not_zh(self) -> str:
        missing = self._missing()
        return f"HunyuanOCR {self.model.generation} 没有这些任务的官方提示词：{missing}。" if missing else ""

    def _missing(self) -> str:
        return ", ".join(sorted(set(Task) - set(self.tasks())))

    def takes_prompts(self) -> bool:
        return True

    def loading(self) -> Loading | None:
        return Loading(phase="trial") if self._on_trial else None

    def load(self) -> None:
        """Raises FileNotFoundError without weights, ValueError for weights in pickles, RuntimeError if the
        model starts and does not read the golden page: then it is no model to read others with."""
        refuse_pickles(self.model.folder)
        self._start()
        self._on_trial = True
        with Image.open(_GOLDEN) as golden:
            page = np.asarray(golden.convert("RGB"), np.uint8)
        result = self._read(page, Ask(), lambda _: None, threading.Event(), _GOLDEN_TOKENS)
        if self.model.forced_tokens is None and _GOLDEN_WORD not in "".join(result.text.upper().split()):
            raise RuntimeError(f"the golden page was not read: {result.text!r}")

    def read(self, page: Pixels, ask: Ask, on_progress: OnProgress, cancelled: threading.Event) -> PageResult:
        return self._read(page, ask, on_progress, cancelled, self.model.forced_tokens or self.model.max_tokens)

    def _read(
        self, page: Pixels, ask: Ask, on_progress: OnProgress, cancelled: threading.Event, limit: int
    ) -> PageResult:
        started = time.monotonic()
        on_progress(Progress(stage="recognise"))
        image = widened(Image.fromarray(page))
        writing = Writing(on_progress, guarded=self.model.forced_tokens is None)
        words = ask.prompt or prompt(ask, self.model.generation, self.model.prompts)
        finish = self._write(image, words, limit, writing, cancelled)
        writing.tell()
        answer = Answer(writing.text, finish, writing.tokens, words)
        return PageResult(
            **content(ask, answer, image.width, image.height),
            width=page.shape[1],
            height=page.shape[0],
            rotation=0,
            engine=self._info,
            elapsed_s=round(time.monotonic() - started, 3),
            task=ask.task,
        )


def model_of(config: EngineConfig) -> ModelConfig:
    """Raises ValueError if the configuration names no model."""
    if config.model is None:
        raise ValueError(f"the engine `{config.name}` needs a `model` in the configuration")
    return config.model


def refuse_pickles(folder: Path) -> None:
    """Raises FileNotFoundError if `folder` has no safetensors, ValueError if it has weights in another form.

    A pickle runs whatever its author wrote into it as soon as it is opened.
    """
    if not any(folder.glob("*.safetensors")):
        raise FileNotFoundError(f"no *.safetensors in {folder}")
    others = sorted(
        file.name
        for file in folder.rglob("*")
        if file.suffix.lower() in (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
    )
    if others:
        raise ValueError(f"weights that are no safetensors in {folder}: {', '.join(others)}")


def widened(page: Image.Image) -> Image.Image:
    """`page`, with white below or beside it if it is a strip that the model would refuse."""
    least = -(-max(page.size) // _LONGEST_RATIO)
    if min(page.size) >= least:
        return page
    sheet = Image.new("RGB", (max(page.width, least), max(page.height, least)), "white")
    sheet.paste(page)
    return sheet


def sampling(generation: str) -> dict[str, float]:
    """Of HunyuanOCR's own clients: greedy; 1.5 also holds back what it has already written."""
    return {"repetition_penalty": 1.08 if generation == "1.5" else 1.0}
