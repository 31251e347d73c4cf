"""OpenVINO reads where it can, ONNX Runtime where it cannot, and both read the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from runtime.engine import rapidocr_backend
from runtime.engine.rapidocr_backend import Backend, BackendName, Floats, open_backend
from runtime.engine.rapidocr_engine import RapidOcrEngine, models_folder
from runtime.engine.rapidocr_stages import Stages
from runtime.tasks.task import Ask, Task
from tests.pages.cer import cer
from tests.pages.render import render

_CRASHING = """
import os, signal, sys
from pathlib import Path
import openvino
openvino.Core = lambda: os.kill(os.getpid(), signal.SIGILL)
from runtime.engine.rapidocr_backend import open_backend
from runtime.engine.rapidocr_engine import models_folder
print(open_backend(models_folder(), trials=Path(sys.argv[1])).name)
"""


def engine(backend: BackendName) -> RapidOcrEngine:
    made = RapidOcrEngine(threads=1, backend=backend)
    made.load()
    return made


def read(reader: RapidOcrEngine, kind: str) -> str:
    pixels = np.asarray(render(kind).image)
    return reader.read(pixels, Ask(task=Task.TEXT), lambda _: None, threading.Event()).text


@pytest.mark.parametrize("kind", ["note", "notice"])
def test_both_read_the_same(kind: str) -> None:
    assert read(engine("openvino"), kind) == read(engine("onnxruntime"), kind) == render(kind).text


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_pages_read_at_the_same_time_are_kept_apart(backend: BackendName) -> None:
    reader = engine(backend)
    kinds = ["note", "notice", "slip"] * 2
    with ThreadPoolExecutor(3) as pool:
        for kind, text in zip(kinds, pool.map(lambda kind: read(reader, kind), kinds), strict=True):
            assert cer(render(kind).text, text) == 0


def test_without_openvino_onnxruntime_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    trials = tmp_path / "trials"
    assert open_backend(models_folder(), trials=trials).name == "onnxruntime"
    assert not trials.exists(), "that it is not there costs no trial"
    with pytest.raises(ImportError):
        open_backend(models_folder(), wanted="openvino")


def test_a_model_that_openvino_does_not_compile_is_run_by_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    import openvino

    monkeypatch.setattr(openvino.Core, "compile_model", lambda *_: openvino.Core().read_model("/nowhere.onnx"))
    assert open_backend(models_folder()).name == "onnxruntime"


def test_where_memory_is_short_onnxruntime_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rapidocr_backend, "_OPENVINO_BYTES", 2**60)
    assert open_backend(models_folder()).name == "onnxruntime"


def test_openvino_that_ends_the_process_twice_is_not_tried_again(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", _CRASHING, str(tmp_path / "trials")]
    for _ in range(2):
        assert subprocess.run(argv, check=False).returncode == -signal.SIGILL
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip() == "onnxruntime"


def test_a_start_that_went_well_forgets_one_that_did_not(tmp_path: Path) -> None:
    trials = tmp_path / "trials"
    trials.write_text("1\n")
    assert open_backend(models_folder(), trials=trials).name == "openvino"
    assert not trials.exists()


def test_lines_come_in_few_widths() -> None:
    """OpenVINO compiles for each width anew, and keeps what it compiled."""
    widths = set()

    def recognise(lines: Floats) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int64]], Floats]:
        widths.add(lines.shape[3])
        return np.zeros((len(lines), 4), np.int64), np.zeros((len(lines), 4), np.float32)

    def unused(_: Floats) -> Floats:
        raise AssertionError

    stages = Stages(Backend("stub", unused, unused, recognise, ["a"]))
    for length in range(20, 700):
        assert stages.read([np.zeros((48, length, 3), np.uint8)]) == [("", 0.0)]
    assert widths == {320, 384, 448, 512, 576, 640, 704}
