"""OpenVINO as it lies on the station, less what the profile cuts, reads a page where the station runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from builder.layers.tree import cut
from builder.profile import load_profile
from tests.integration.station import REPOSITORY
from tests.pages.cer import cer
from tests.pages.render import render

_READ = """
import sys, threading
import numpy as np
import openvino
from runtime.engine.rapidocr_engine import RapidOcrEngine
from runtime.tasks.task import Ask, Task
assert openvino.__file__.startswith(sys.argv[1]), openvino.__file__
engine = RapidOcrEngine(threads=2, backend="openvino")
engine.load()
page = np.load(sys.argv[2])
print(engine.read(page, Ask(task=Task.TEXT), lambda _: None, threading.Event()).text)
"""

_CONFINED = """
set -eu
mount -t tmpfs -o ro none /sys
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
cd /
shift
exec setpriv --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Path]:
    """Only what is left of OpenVINO's wheel on the station; the other packages come from this environment."""
    spec = find_spec("openvino")
    assert spec is not None and spec.origin is not None
    with tempfile.TemporaryDirectory() as held:  # pytest's own folders are for their owner alone
        folder = Path(held)
        folder.chmod(0o755)
        shutil.copytree(Path(spec.origin).parent, folder / "openvino", ignore=shutil.ignore_patterns("__pycache__"))
        rules = {name: list(rule.paths) for name, rule in load_profile("demo").cuts.python.items()}
        saved = cut(folder, rules)
        assert saved["openvino-without-a-cpu"] > 50_000_000 and saved["openvino-converters"] > 15_000_000
        yield folder


def test_what_the_profile_leaves_of_openvino_reads_a_page_in_the_units_cage(site: Path) -> None:
    page = render("slip")
    held = site / "page.npy"
    np.save(held, np.asarray(page.image))
    environment = {
        **os.environ,
        "PYTHONPATH": f"{site}:{REPOSITORY}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/nowhere",
    }
    script = [sys.executable, "-c", _READ, str(site), str(held)]
    done = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-c", _CONFINED, "sh", str(site), *script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert cer(page.text, done.stdout) <= 0.02


def test_nothing_that_reports_over_a_network_is_installed() -> None:
    assert find_spec("openvino_telemetry") is None
