"""The page's words: both languages say everything, and nothing is said that is not in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from runtime import problems
from runtime.kiosk import catalogue, same_origin, session
from runtime.kiosk.pages import Status
from runtime.media import failures
from runtime.media.wire import SaveStage
from runtime.problems import ProblemKind
from runtime.results import Progress

_FILLED = {
    "stage.": get_args(Progress.model_fields["stage"].annotation),
    "status.": tuple(Status),
    "save.": get_args(SaveStage),
}


def _sources(*patterns: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for pattern in patterns for path in _own(pattern))


def _own(pattern: str) -> list[Path]:
    """Files of the pages but for those of npm packages, which tests/unit/builder/test_vendored.py looks at."""
    vendor = catalogue.PAGES / "vendor"
    return [path for path in catalogue.PAGES.rglob(pattern) if not path.is_relative_to(vendor)]


def _used() -> set[str]:
    scripts = re.sub(r"querySelector(All)?\([^)]*\)", "", _sources("*.js"))
    templates = _sources("*.html")
    used = set(re.findall(r'[ (?:]"([a-z_]+\.[a-z_]+)"', scripts))
    used |= set(re.findall(r'\b(?:w|title)\("([^"]+)"\)', templates))
    used |= set(re.findall(r'\bbutton\("[^"]+", "([^"]+)"', templates))
    used |= set(re.findall(r'"(notice\.[a-z_]+)"', _python_sources()))
    for prefix, values in _FILLED.items():
        used |= {prefix + value for value in values}
    kinds = [
        kind
        for module in (problems, failures, session, same_origin)
        for kind in vars(module).values()
        if isinstance(kind, ProblemKind)
    ]
    codes = {kind.code for kind in kinds} | set(re.findall(r'tell\("([a-z-]+)"\)', scripts))
    troubles = set(re.findall(r'"([A-Z]+(?:-[A-Z]+)+)"', _hardware_sources())) | {"OTHER"}
    used |= {f"{part}.{code}" for code in troubles for part in ("trouble", "trouble_cause", "trouble_remedy")}
    return used | {f"{part}.{code}" for code in codes for part in ("problem", "remedy")}


def _hardware_sources() -> str:
    folder = catalogue.PAGES.parent / "hardware"
    return "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))


def _python_sources() -> str:
    folder = catalogue.PAGES.parent / "kiosk"
    return "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_everything_that_is_said_has_words(language: str) -> None:
    assert _used() - catalogue.messages(language).keys() == set()


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_no_words_are_kept_that_nobody_says(language: str) -> None:
    assert catalogue.messages(language).keys() - _used() == set()


def test_both_languages_have_the_same_words_with_the_same_blanks() -> None:
    zh, en = (catalogue.messages(language) for language in catalogue.LANGUAGES)
    assert zh.keys() == en.keys()
    for key in zh:
        assert sorted(re.findall(r"\{\w+\}", zh[key])) == sorted(re.findall(r"\{\w+\}", en[key])), key


def test_a_file_of_the_page_stays_short_and_loads_nothing_from_elsewhere() -> None:
    for pattern in ("*.js", "*.css", "*.html"):
        for path in _own(pattern):
            text = path.read_text(encoding="utf-8")
            assert len(text.splitlines()) < 400, path
            assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path
            assert not re.search(r"\b(alert|confirm|prompt|eval)\(", text), path
            assert not re.search(r"(animation|transition|shadow)[a-z-]*:|blur\(|@font-face|@import", text), path
