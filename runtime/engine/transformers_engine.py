"""The "pt" mode: HunyuanOCR by transformers, in this process, one page at a time.

Slow; for debugging, and for cards that vLLM refuses. Same prompts and same parsing as with vLLM.
"""

from __future__ import annotations

import logging
import math
import os
import threading
from importlib.metadata import version
from typing import Any

from PIL import Image

from runtime.config import EngineConfig, ModelConfig
from runtime.engine.contract import Cancelled
from runtime.engine.prompted import PromptedEngine, Writing, model_of, sampling
from runtime.results import Finish

log = logging.getLogger(__name__)

_HALF = "\N{REPLACEMENT CHARACTER}"
"""What a character whose bytes are not all there yet is decoded to."""


class TransformersEngine(PromptedEngine):
    """Needs transformers 5.13 or later, the first that knows HunYuanVL."""

    def __init__(self, model: ModelConfig, *, threads: int = 0) -> None:
        super().__init__(model, name="transformers", version=version("transformers"))
        self._threads = threads
        self._processor: Any = None
        self._network: Any = None
        self._ends: frozenset[int] = frozenset()

    @classmethod
    def configured(cls, config: EngineConfig) -> TransformersEngine:
        return cls(model_of(config), threads=config.threads)

    def _start(self) -> None:
        os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", DO_NOT_TRACK="1")
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor

        if self._threads:
            torch.set_num_threads(self._threads)
        device = self.model.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self._processor = AutoProcessor.from_pretrained(self.model.folder, local_files_only=True, backend="pil")
        network = AutoModelForImageTextToText.from_pretrained(
            self.model.folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=self.model.dtype,
            # Eager attention on a large page took 50 GB of a card; this one computes the same.
            attn_implementation="sdpa",
        )
        self._network = network.to(device).eval()
        ends = network.generation_config.eos_token_id
        self._ends = frozenset(ends if isinstance(ends, list) else [ends])

    def _write(
        self, page: Image.Image, words: str, limit: int, writing: Writing, cancelled: threading.Event
    ) -> Finish:
        import torch

        inputs = self._inputs(page, words).to(self._network.device)
        room = self.model.context - int(inputs["input_ids"].shape[1])
        if room < 1:
            raise ValueError(f"the page needs more than the context of {self.model.context} tokens")
        scribe = _Scribe(self._processor.tokenizer, writing, self._ends)

        def stop(numbers: Any, _scores: Any, **_: Any) -> Any:
            given_up = cancelled.is_set() or writing.repeating
            return torch.full((numbers.shape[0],), given_up, device=numbers.device, dtype=torch.bool)

        with torch.inference_mode():
            self._network.generate(
                **inputs,
                max_new_tokens=min(limit, room),
                min_new_tokens=0 if self.model.forced_tokens is None else min(limit, room),
                do_sample=False,
                streamer=scribe,
                logits_processor=[scribe.certainty],
                stopping_criteria=[stop],
                **sampling(self.model.generation),
            )
        if cancelled.is_set():
            raise Cancelled
        if writing.repeating:
            return "repeating"
        return "complete" if scribe.ended else "truncated"

    def _inputs(self, page: Image.Image, words: str) -> Any:
        messages = [
            {"role": "system", "content": ""},
            {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": words}]},
        ]
        text = self._processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self._processor(text=[text], images=[page], padding=True, return_tensors="pt")


class _Scribe:
    """Follows `generate`: a streamer that gets each token, and a logits processor that sees how sure it was."""

    def __init__(self, tokenizer: Any, writing: Writing, ends: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self._writing = writing
        self._ends = ends
        self._waiting: list[int] = []
        self._logprobs: list[float] = []
        self._sure = 0.0
        self._prompt_seen = False
        self.ended = False
        """Whether the model itself ended the answer."""

    def certainty(self, _numbers: Any, scores: Any) -> Any:
        """Remembers the most probable token's logarithm; changes nothing."""
        best = float(scores[0].float().log_softmax(-1).max())
        self._sure = best if math.isfinite(best) else 0.0
        return scores

    def put(self, numbers: Any) -> None:
        if not self._prompt_seen:  # the first call brings the prompt
            self._prompt_seen = True
            return
        for number in numbers.reshape(-1).tolist():
            if number in self._ends:
                self.ended = True
                continue
            self._waiting.append(number)
            self._logprobs.append(self._sure)
            piece = self._decoded()
            if not piece.endswith(_HALF):
                self._hand_on(piece)

    def end(self) -> None:
        if self._waiting:
            self._hand_on(self._decoded())

    def _decoded(self) -> str:
        return str(self._tokenizer.decode(self._waiting, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _hand_on(self, piece: str) -> None:
        self._writing.add(piece, self._waiting, self._logprobs)
        self._waiting, self._logprobs = [], []
