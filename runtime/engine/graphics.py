"""The graphics cards as NVIDIA's driver tells of them: the engine has their device nodes, the gateway has not."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from importlib import import_module
from typing import Any

from runtime.engine.wire import Gpu

log = logging.getLogger(__name__)

_EVERY_S = 4.0


class Cards:
    """Asks the driver in a thread of its own: a card that has failed can hold whoever asks for minutes."""

    def __init__(self) -> None:
        self._told: tuple[Gpu, ...] = ()
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None

    def now(self) -> tuple[Gpu, ...]:
        """What was told last; empty where there is no card, and before the first answer. Any thread may call it."""
        with self._lock:
            if self._asking is None:
                self._asking = threading.Thread(target=self._ask, name="cards", daemon=True)
                self._asking.start()
        return self._told

    def _ask(self) -> None:
        try:
            nvml = import_module("pynvml")  # the module of nvidia-ml-py
            nvml.nvmlInit()
        except Exception as error:  # no package, no driver or no card: its errors are of no family of ours
            log.info("no graphics card to tell of: %s", error)
            return
        while True:
            self._told = cards(nvml)
            time.sleep(_EVERY_S)


def cards(nvml: Any) -> tuple[Gpu, ...]:
    """Every card that this process may ask. Never raises."""
    try:
        count = nvml.nvmlDeviceGetCount()
    except nvml.NVMLError as error:
        log.warning("the driver does not tell of its cards: %s", error)
        return ()
    return tuple(card for index in range(count) if (card := _card(nvml, index)) is not None)


def _card(nvml: Any, index: int) -> Gpu | None:
    """None for a card that this process may not ask, or that has fallen off its bus."""
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        name = str(nvml.nvmlDeviceGetName(handle))
    except nvml.NVMLError as error:
        log.debug("card %d does not tell: %s", index, error)
        return None
    busy, celsius = None, None
    with suppress(nvml.NVMLError):  # not every card tells these
        busy = nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
    with suppress(nvml.NVMLError):
        celsius = int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
    return Gpu(
        index=index,
        name=name,
        busy=busy,
        memory_used_bytes=int(memory.used),
        memory_bytes=int(memory.total),
        celsius=celsius,
    )
