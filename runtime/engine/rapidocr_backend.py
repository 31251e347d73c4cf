"""What runs PP-OCR's three networks: OpenVINO, or ONNX Runtime where OpenVINO cannot.

Each network is a function from one array to another. The recogniser ends in an argmax: it gives a
number for each of 18,710 characters at each step of a line, 10 MB a line, of which nobody wants more
than the greatest.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]
Network = Callable[[Floats], Floats]
Recogniser = Callable[[Floats], tuple[NDArray[np.int64], Floats]]
"""Images of lines to the best character of each step and its probability, both lines x steps."""
BackendName = Literal["auto", "openvino", "onnxruntime"]

DETECTOR = "PP-OCRv6_det_small.onnx"
CLASSIFIER = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"

_OPENVINO_BYTES = 3 * 2**30
"""With less memory than this in the machine OpenVINO's half gigabyte more is missed elsewhere."""
_SHAPES = 64
"""Shapes for which OpenVINO keeps its compiled kernels; by default 5,000, a megabyte or so each."""
_TRIALS = 2


@dataclass(frozen=True)
class Backend:
    """`characters`: the recogniser's, without the blank before and the space after them.

    The networks may be called from several threads; what they answer is good until the same thread
    calls the same one again.
    """

    name: str
    detect: Network
    classify: Network
    recognise: Recogniser
    characters: list[str]


def open_backend(
    models: Path, *, wanted: BackendName = "auto", threads: int = 0, trials: Path | None = None
) -> Backend:
    """The back end that `wanted` names, with its models loaded; "auto": OpenVINO where it can.

    `threads`: of one network; 0 for as many as there are cores. `trials`: a file with the processes
    whose start with OpenVINO has not come to an end. An instruction that the processor lacks ends the
    process without an exception, so after two of them OpenVINO is not tried again.
    Raises what OpenVINO raises if it was asked for by name.
    """
    if wanted == "openvino" or (wanted == "auto" and _is_worth_a_trial(trials)):
        try:
            _count_trial(trials)
            backend = _openvino(models, threads)
            _try_out(backend)
        except Exception as error:
            if wanted == "openvino":
                raise
            log.warning("OpenVINO cannot run the models, ONNX Runtime will: %s", error)
        else:
            _forget_trials(trials)
            return backend
        _forget_trials(trials)
    return _onnxruntime(models, threads)


def _is_worth_a_trial(trials: Path | None) -> bool:
    if os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < _OPENVINO_BYTES:
        log.info("little memory: ONNX Runtime, which needs less of it, runs the models")
        return False
    if trials is not None and trials.is_file() and len(set(trials.read_text().split())) >= _TRIALS:
        log.warning("OpenVINO did not start %d times: ONNX Runtime runs the models (%s)", _TRIALS, trials)
        return False
    return True


def _count_trial(trials: Path | None) -> None:
    if trials is not None:
        with suppress(OSError), trials.open("a") as file:
            file.write(f"{os.getpid()}\n")


def _forget_trials(trials: Path | None) -> None:
    if trials is not None:
        with suppress(OSError):
            trials.unlink()


def _try_out(backend: Backend) -> None:
    """Kernels are compiled when a shape is first seen: what cannot be compiled is to show here."""
    backend.detect(np.zeros((1, 3, 64, 64), np.float32))
    backend.classify(np.zeros((1, 3, 48, 192), np.float32))
    backend.recognise(np.zeros((1, 3, 48, 320), np.float32))


def _openvino(models: Path, threads: int) -> Backend:
    """Numbers are of the precision the processor is best at: bfloat16 where it has it, else float32."""
    import openvino
    from openvino import opset13

    core = openvino.Core()
    config: dict[str, object] = {
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
        "CPU_RUNTIME_CACHE_CAPACITY": _SHAPES,
    }
    if threads > 0:
        config["INFERENCE_NUM_THREADS"] = threads

    def compiled(model: Any) -> Callable[[Floats], list[NDArray[Any]]]:
        whole = core.compile_model(model, "CPU", config)
        of_thread = threading.local()

        def run(images: Floats) -> list[NDArray[Any]]:
            if not hasattr(of_thread, "request"):
                of_thread.request = whole.create_infer_request()
            of_thread.request.infer([images])
            return [tensor.data for tensor in of_thread.request.output_tensors]

        return run

    reader = core.read_model(models / RECOGNISER)
    characters = str(reader.get_rt_info(["framework", "character"]).value).splitlines()
    probabilities = reader.output(0).get_node().input_value(0)
    best = opset13.topk(probabilities, np.int32(1), 2, "max", "none", index_element_type="i32")
    recognise = compiled(openvino.Model(best.outputs(), reader.get_parameters(), "recogniser"))
    detect = compiled(core.read_model(models / DETECTOR))
    classify = compiled(core.read_model(models / CLASSIFIER))

    def recognised(images: Floats) -> tuple[NDArray[np.int64], Floats]:
        highest, indices = recognise(images)
        return indices[:, :, 0].astype(np.int64), highest[:, :, 0]

    return Backend("openvino", lambda page: detect(page)[0], lambda lines: classify(lines)[0], recognised, characters)


def _onnxruntime(models: Path, threads: int) -> Backend:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False
    if threads > 0:
        options.intra_op_num_threads = threads

    def session(model: str) -> Any:
        return onnxruntime.InferenceSession(str(models / model), options, providers=["CPUExecutionProvider"])

    def network(session: Any) -> Network:
        (given,) = session.get_inputs()
        return lambda images: np.asarray(session.run(None, {given.name: images})[0])

    reader = session(RECOGNISER)
    probabilities_of = network(reader)

    def recognised(images: Floats) -> tuple[NDArray[np.int64], Floats]:
        probabilities = probabilities_of(images)
        best = probabilities.argmax(2)
        return best, np.take_along_axis(probabilities, best[:, :, None], 2)[:, :, 0]

    characters = str(reader.get_modelmeta().custom_metadata_map["character"]).splitlines()
    return Backend("onnxruntime", network(session(DETECTOR)), network(session(CLASSIFIER)), recognised, characters)
