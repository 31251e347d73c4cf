"""How a step runs, whatever it does: without a network, and told plainly when it wanted one."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import StepError
from builder.sandbox import Sandbox


def test_a_step_that_reaches_out_fails_and_is_told_so(tmp_path: Path) -> None:
    log = tmp_path / "logs/step.log"
    with pytest.raises(StepError) as caught:
        Sandbox(log, 0).run("tests.integration.reaching_out", {"work": str(tmp_path)}, lambda done, total: None)
    assert "exit status 1: download something" in caught.value.message
    assert "Network is unreachable" in caught.value.message and "Traceback" not in caught.value.message
    assert "builds have none" in caught.value.hint
    assert caught.value.log == log
    assert "devices: lo\n" in log.read_text()
