"""What NVIDIA's own package makes of a driver: a library that answers in its place, built here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.integration.station import REPOSITORY

_DRIVER = """
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory;
typedef struct { unsigned gpu, memory; } busy;
int nvmlInitWithFlags(unsigned flags) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 3; return COUNTED; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    if (index == 1) return 4;  /* no permission: a card that is another process's */
    *handle = (void *)(long)(index + 1); return 0;
}
int nvmlDeviceGetMemoryInfo(void *handle, memory *of) {
    of->total = 24ull << 30; of->used = 20ull << 30; of->free = 4ull << 30; return 0;
}
int nvmlDeviceGetName(void *handle, char *name, unsigned size) { strncpy(name, "Card", size); return 0; }
int nvmlDeviceGetUtilizationRates(void *handle, busy *of) {
    if (handle == (void *)3) return 3;  /* not supported, as on some cards */
    of->gpu = 42; return 0;
}
int nvmlDeviceGetTemperature(void *handle, int sensor, unsigned *celsius) { *celsius = 61; return 0; }
const char *nvmlErrorString(int code) { return "no"; }
"""
_ASK = """
import json, pynvml
from runtime.engine.graphics import cards
pynvml.nvmlInit()
print(json.dumps([card.model_dump() for card in cards(pynvml)]))
"""


def make_driver(folder: Path, *, counted: int = 0) -> dict[str, str]:
    """The environment of a program that finds this driver. `counted`: what it answers when asked for its cards."""
    compiler = shutil.which("cc")
    assert compiler is not None, "a C compiler builds the driver's library: apt-get install gcc libc6-dev"
    (folder / "driver.c").write_text(_DRIVER)
    words = [compiler, "-shared", "-fPIC", f"-DCOUNTED={counted}", "-o", str(folder / "libnvidia-ml.so.1")]
    subprocess.run([*words, str(folder / "driver.c")], check=True)
    return {"LD_LIBRARY_PATH": str(folder)}


def told_by_driver(folder: Path, *, counted: int) -> list[dict[str, object]]:
    environment = {**os.environ, **make_driver(folder, counted=counted), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", _ASK], env=environment, capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    told: list[dict[str, object]] = json.loads(done.stdout)
    return told


def test_every_card_that_may_be_asked_is_told_with_what_it_tells(tmp_path: Path) -> None:
    first, last = told_by_driver(tmp_path, counted=0)
    assert first == {
        "index": 0,
        "name": "Card",
        "busy": 0.42,
        "memory_used_bytes": 20 << 30,
        "memory_bytes": 24 << 30,
        "celsius": 61,
    }
    assert (last["index"], last["busy"], last["celsius"]) == (2, None, 61)


def test_a_driver_that_does_not_answer_tells_of_no_card(tmp_path: Path) -> None:
    assert told_by_driver(tmp_path, counted=999) == []
