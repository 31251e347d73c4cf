"""The benchmark for cards runs here too, scaled down, on both engines."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.engines.tiny import MENDED, MODEL
from tests.integration.station import REPOSITORY


def test_the_engine_benchmark_measures_both_engines() -> None:
    words = ["--random-shapes", "small", "--dpi", "30", "--tokens", "16", "--pages", "2", "--concurrency", "1", "2"]
    words += ["--dtype", "float32", "--context", "2048", "--vllm-argument=--enforce-eager", "--bandwidth-gb-s", "40"]
    done = subprocess.run(
        [sys.executable, "bench/engine.py", *words, "--bars"],
        cwd=REPOSITORY,
        env={**os.environ, **MENDED, **MODEL["environment"]},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=900,
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    assert [row["engine"] for row in figures["rows"]] == ["vllm", "transformers"]
    for row in figures["rows"]:
        assert row["latency_p95_s"] >= row["latency_p50_s"] > 0 and row["pages_per_minute"]["1"] > 0
    assert set(figures["rows"][0]["pages_per_minute"]) == {"1", "2"}
    assert done.returncode == 1 and any("peak_memory" in line for line in figures["missed"]), "no card, no bars"
