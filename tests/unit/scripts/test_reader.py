"""Single lines in other scripts, by the real Tesseract: each goes to its own language, none of our scripts' to any."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from runtime.engine.crops import Pixels
from runtime.scripts.known import UNKNOWN, script_of, seen, share
from runtime.scripts.reader import ScriptReader
from tests.pages.cer import cer
from tests.pages.render import render
from tests.pages.scripts import TEXTS, line_images, script_page

LANGUAGES = ("kor", "rus", "ell", "ara", "heb", "tha", "hin")
READ_BY = dict(zip(TEXTS, LANGUAGES, strict=False))
MEASURED = {
    "korean": 0.03,
    "russian": 0.01,
    "greek": 0.01,
    "arabic": 0.01,
    "hebrew": 0.01,
    "thai": 0.02,
    "hindi": 0.01,
}
"""The character error rates seen, photographs included, rounded up."""


def pixels(picture: Image.Image) -> Pixels:
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1])


def no_words(words: object) -> list[tuple[str, float]]:
    """A second reader that believes nothing."""
    return [("", 0.0) for _ in words]  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def reader() -> ScriptReader:
    made = ScriptReader(LANGUAGES, workers=2)
    made.load()
    return made


@pytest.mark.parametrize("name", READ_BY)
def test_every_line_is_read_with_the_data_of_its_own_language(reader: ScriptReader, name: str) -> None:
    found = reader.read([pixels(line) for line in line_images(name)], no_words, lambda: None)
    assert [line.language for line in found if line] == [READ_BY[name]] * len(TEXTS[name].splitlines())
    assert cer(TEXTS[name], "\n".join(line.text for line in found if line)) <= MEASURED[name] + 0.02


def test_lines_of_our_own_scripts_are_left_alone(reader: ScriptReader) -> None:
    lines = [pixels(line) for line in line_images("mixed")]
    found = reader.read(lines, no_words, lambda: None)
    ours = (0, 1, 4, 7, 11)
    assert [index for index, line in enumerate(found) if line is None] == list(ours)


def test_what_no_language_here_reads_is_left_and_named(reader: ScriptReader) -> None:
    lines = [pixels(line) for line in line_images("tamil")]
    assert reader.read(lines, no_words, lambda: None) == [None] * len(lines)
    names = {script.name for script in reader.name(lines) if script is not None}
    assert names == {"Tamil"}


def test_our_own_scripts_are_never_named_as_foreign(reader: ScriptReader) -> None:
    for kind in ("english", "chinese"):
        page = render(kind).image
        lines = [page.crop((40, top, page.width - 20, top + 52)) for top in (62, 118, 174)]
        assert not [name for name in reader.name([pixels(line) for line in lines]) if name not in (None, UNKNOWN)]


def test_a_page_upside_down_is_told_by_what_can_be_read(reader: ScriptReader) -> None:
    upright = [pixels(line) for line in line_images("russian")[:4]]
    flipped = [np.ascontiguousarray(line[::-1, ::-1]) for line in upright]
    assert reader.way_up([upright, flipped], lambda: None) == 0
    assert reader.way_up([flipped, upright], lambda: None) == 1


def test_digits_that_the_second_reader_is_sure_of_are_taken_and_letters_are_not(reader: ScriptReader) -> None:
    line = pixels(line_images("hebrew")[4])
    (sure,) = reader.read([line], lambda words: [("2024", 0.99) for _ in words], lambda: None)
    assert sure is not None and "2024" in sure.text and sure.text.count("2024") == 1
    (unsure,) = reader.read([line], lambda words: [("2024", 0.5) for _ in words], lambda: None)
    assert unsure is not None and "1987" in unsure.text
    (latin,) = reader.read([line], lambda words: [("ABC", 0.99) for _ in words], lambda: None)
    assert latin is not None and "ABC" not in latin.text


def test_whoever_stops_waiting_is_heard_between_two_languages(reader: ScriptReader) -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        reader.read([pixels(line_images("thai")[0])], no_words, stop)


def test_data_that_are_not_there_are_told_when_the_engine_starts() -> None:
    with pytest.raises(FileNotFoundError, match="syr"):
        ScriptReader(["kor", "syr"]).load()
    with pytest.raises(KeyError):
        ScriptReader(["deu"]).load()


def test_scripts_are_known_by_their_signs() -> None:
    assert share("Привет, мир 2024", script_of("rus")) == 1.0
    assert share("Hello", script_of("rus")) == 0.0 and share("2024", script_of("rus")) == 0.0
    assert seen("Latin") is None and seen("Han") is None
    korean = seen("Korean")
    assert korean is not None and korean.zh == "韩文"


def test_pages_of_the_fixtures_are_as_long_as_their_texts() -> None:
    assert all(script_page(name).text == text for name, text in TEXTS.items())
