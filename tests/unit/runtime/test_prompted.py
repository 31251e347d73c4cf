"""What goes into the model and comes out of it, whichever program runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from runtime.engine.prompted import Writing, refuse_pickles, sampling, widened
from runtime.results import Progress
from runtime.tasks.repetition import FIRST_LOOK


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (20, 4000)])
def test_a_strip_that_the_model_would_refuse_gets_white_beside_it(size: tuple[int, int]) -> None:
    page = widened(Image.new("RGB", size, "black"))
    assert max(page.size) == max(size) and max(page.size) / min(page.size) < 200
    assert page.getpixel((0, 0)) == (0, 0, 0)
    assert page.getpixel((page.width - 1, page.height - 1)) == ((255,) * 3 if page.size != size else (0,) * 3)


def test_an_ordinary_page_goes_in_as_it_is() -> None:
    page = Image.new("RGB", (1240, 1754))
    assert widened(page) is page


def test_what_is_told_piece_by_piece_is_the_whole_answer() -> None:
    told: list[Progress] = []
    writing = Writing(told.append)
    for number in range(50):
        writing.add(f"{number} ", [number], [-0.1])
    writing.tell()
    writing.tell()
    assert "".join(progress.text for progress in told) == writing.text and told[-1].done == 50
    assert [token.start for token in writing.tokens[:3]] == [0, 2, 4]


@pytest.mark.parametrize("guarded", [True, False])
def test_a_loop_is_noticed_unless_it_is_wanted(guarded: bool) -> None:
    writing = Writing(lambda _: None, guarded=guarded)
    while len(writing.text) < 2 * FIRST_LOOK:
        writing.add("<td></td>", [1], [0.0])
    assert writing.repeating is guarded


def test_weights_in_another_form_than_safetensors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        refuse_pickles(tmp_path)
    (tmp_path / "model.safetensors").touch()
    refuse_pickles(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/weights.PT").touch()
    with pytest.raises(ValueError, match=r"weights\.PT"):
        refuse_pickles(tmp_path)


def test_only_the_second_generation_holds_back_what_it_has_written() -> None:
    assert sampling("1.0") == {"repetition_penalty": 1.0} and sampling("1.5") == {"repetition_penalty": 1.08}
