"""The graphics cards as NVIDIA's driver tells of them: the engine has their device nodes, the gateway has not."""

from __future__ import annotations

import logging
import threading
import time
from importlib import import_module
from typing import Any

from runtime.engine.wire import Gpu

log = logging.getLogger(__name__)

_FRESH_S = 4.0


class _Cards:
    """Asks the driver at most every few seconds, and no more after it was clear that there is none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nvml: Any = None
        self._absent = False
        self._asked_at = float("-inf")
        self._told: tuple[Gpu, ...] = ()

    def now(self) -> tuple[Gpu, ...]:
        with self._lock:
            if not self._absent and time.monotonic() - self._asked_at >= _FRESH_S:
                self._told = self._ask()
                self._asked_at = time.monotonic()
            return self._told

    def _ask(self) -> tuple[Gpu, ...]:
        try:
            if self._nvml is None:
                nvml = import_module("pynvml")  # the module of nvidia-ml-py
                nvml.nvmlInit()
                self._nvml = nvml
        except Exception as error:  # no package, no driver or no card: its errors are of no family of ours
            log.info("no graphics card to tell of: %s", error)
            self._absent = True
            return ()
        try:
            return tuple(_card(self._nvml, index) for index in range(self._nvml.nvmlDeviceGetCount()))
        except self._nvml.NVMLError as error:
            log.warning("the graphics card does not tell: %s", error)
            return ()


def _card(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        celsius: int | None = int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
    except nvml.NVMLError:
        celsius = None
    return Gpu(
        index=index,
        name=str(nvml.nvmlDeviceGetName(handle)),
        busy=nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100,
        memory_used_bytes=int(memory.used),
        memory_bytes=int(memory.total),
        celsius=celsius,
    )


cards = _Cards().now
"""Every card, with figures a few seconds old at most; empty where there is none. Any thread may call it."""
