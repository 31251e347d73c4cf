"""The card is given to another engine by a wish that the gateway leaves in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.hardware.__main__ import switch

CONFIG = {
    "engines": [
        {"name": "vllm", "needs": {"card": True}},
        {"name": "transformers", "needs": {"card": True}},
        {"name": "rapidocr"},
    ]
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    parts = {"vllm": "start", "transformers": "standby", "rapidocr": "start"}
    (tmp_path / "report.json").write_text(json.dumps({"parts": parts, "troubles": [], "facts": {}}))
    (tmp_path / "held").mkdir()
    (tmp_path / "held/transformers").write_text("standby\n")
    return tmp_path


def test_the_waiting_engine_takes_the_card_and_the_other_waits(folder: Path) -> None:
    wish = folder / "switch"
    wish.write_text("transformers\n")
    assert switch(CONFIG, folder, wish) == ("vllm", "transformers")
    assert not wish.exists()
    assert json.loads((folder / "report.json").read_text())["parts"] == {
        "vllm": "standby",
        "transformers": "start",
        "rapidocr": "start",
    }
    assert [file.name for file in (folder / "held").iterdir()] == ["vllm"]
    wish.write_text("vllm\n")
    assert switch(CONFIG, folder, wish) == ("transformers", "vllm")


@pytest.mark.parametrize("wanted", ["vllm", "rapidocr", "nobody", "../../etc/passwd", "", "x" * 5000])
def test_a_wish_that_cannot_be_met_changes_nothing_and_is_not_found_again(folder: Path, wanted: str) -> None:
    before = (folder / "report.json").read_bytes()
    wish = folder / "switch"
    wish.write_text(wanted)
    assert switch(CONFIG, folder, wish) is None
    assert (folder / "report.json").read_bytes() == before
    assert not wish.exists()


def test_a_link_in_the_wishs_place_is_not_followed(folder: Path) -> None:
    (folder / "elsewhere").write_text("transformers\n")
    wish = folder / "switch"
    wish.symlink_to(folder / "elsewhere")
    assert switch(CONFIG, folder, wish) is None
    assert not wish.is_symlink() and (folder / "elsewhere").exists()
