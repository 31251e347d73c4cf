"""Resolving wheels asks the index alone."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from builder.inputs.wheels import resolve
from builder.profile import load_profile


def test_no_python_is_downloaded_to_resolve_for_the_images_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        monkeypatch.setenv("UV_PYTHON_INSTALL_MIRROR", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "pythons"))
        monkeypatch.setenv("UV_HTTP_TIMEOUT", "2")
        monkeypatch.setenv("UV_HTTP_RETRIES", "0")
        (tmp_path / "none.in").write_text("# no wheels\n")
        python = load_profile("demo").python.model_copy(
            update={"requirements": tmp_path / "none.in", "overrides": None, "overlays": {}, "left_out": {}}
        )
        assert resolve(python, tmp_path / "work", tmp_path / "log") == ([], [])
        with pytest.raises(BlockingIOError):
            listener.accept()
