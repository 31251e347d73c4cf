"""A folder of tables with known truth, read by an engine that reads tables, is measured by TEDS."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.tasks.task import Task
from tests.engines.test_reading import of_task
from tests.integration.station import REPOSITORY, Station


def test_tables_are_measured_against_their_truth(transformers: Station, tmp_path: Path) -> None:
    one, other = of_task(Task.TABLE)[:2]
    for page in (one, other):
        (tmp_path / f"{page.page}.png").write_bytes(page.png)
    (tmp_path / f"{one.page}.html").write_text(one.answer)
    cell = "<td>MON</td>"
    assert cell in other.answer
    (tmp_path / f"{other.page}.html").write_text(other.answer.replace(cell, "<td>WED</td>"))
    words = [sys.executable, "-m", "runtime.evaluate", str(tmp_path), "--url", str(transformers.http.base_url)]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    nodes = 1 + other.answer.count("<tr>") + other.answer.count("<td>")
    assert figures["teds"] == pytest.approx((1 + 1 - 1 / nodes) / 2, abs=1e-4), "one cell of one table is another"
    assert (figures["pages"], figures["failed"], figures["cer"]) == (2, 0, None)
