"""One station with each engine, started once; vLLM takes about a minute for it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.tiny import MENDED, MODEL
from tests.integration.station import Station, running_station

_SITE = Path(__file__).parent / "site/sitecustomize.py"
START_S = 600.0
_SETTINGS = {"limits": {"engine_wait_s": 600, "request_timeout_s": 900}}


def pytest_configure() -> None:
    """Mend this process too: some tests load a model in it."""
    spec = importlib.util.spec_from_file_location("inkstick_engines_site", _SITE)
    assert spec is not None and spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.fixture(scope="session")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    engine = {"name": "vllm", "model": MODEL, "parallel": 4}
    folder = tmp_path_factory.mktemp("vllm")
    with running_station(folder, engines=[engine], environment=MENDED, start_s=START_S, settings=_SETTINGS) as running:
        yield running


@pytest.fixture(scope="session")
def transformers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    engine = {"name": "transformers", "model": MODEL, "threads": 2}
    folder = tmp_path_factory.mktemp("transformers")
    with running_station(folder, engines=[engine], environment=MENDED, start_s=START_S, settings=_SETTINGS) as running:
        yield running


@pytest.fixture(params=["transformers", "vllm"])
def station(request: pytest.FixtureRequest) -> Station:
    """Each of the two in turn."""
    running = request.getfixturevalue(request.param)
    assert isinstance(running, Station)
    return running
