"""The room a build takes is that of its worst moment, not of its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builder.keys import ROOT

PROGRAM = """
import subprocess, sys, time
from pathlib import Path
from builder.diskwatch import watched

room = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64M", "test", room], check=True)
with watched(room) as peak:
    (room / "tree").write_bytes(bytes(24 << 20))
    while peak.bytes < 24 << 20:
        time.sleep(0.05)
    (room / "tree").unlink()
    (room / "iso").write_bytes(bytes(8 << 20))
print(peak.bytes)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk of its own, on which nobody else writes")
def test_what_is_gone_again_counts(tmp_path: Path) -> None:
    words = ["unshare", "--mount", sys.executable, "-c", PROGRAM, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=True)
    assert 24 << 20 <= int(done.stdout) < 25 << 20
