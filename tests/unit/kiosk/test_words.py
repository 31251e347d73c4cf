"""The page's words: both languages say everything, and nothing is said that is not in them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.pofile import read_po

from runtime import problems
from runtime.accuracy.records import SelfTestRun
from runtime.accuracy.selftest import State as TestState
from runtime.accuracy.selftest import Trigger
from runtime.admin import door, engines
from runtime.admin.engines import EngineStanding
from runtime.admin.history import SERIES
from runtime.admin.log_book import LEVELS
from runtime.alerts.book import Alert, State
from runtime.alerts.rules import built_in
from runtime.clock import client
from runtime.documents import refusals
from runtime.engine.wire import Phase
from runtime.fields.verdicts import Verdict
from runtime.gateway.refusals import NO_FORM, UNKNOWN_FORM
from runtime.keys.ring import Scope
from runtime.kiosk import catalogue, composing, same_origin, session, short_codes
from runtime.kiosk.choice import TILES
from runtime.kiosk.doubts import Reason
from runtime.kiosk.exports import OFFERED, Per
from runtime.kiosk.pages import Status
from runtime.kiosk.printing import What
from runtime.kiosk.start import StepName, StepState
from runtime.media import failures, vault_wire
from runtime.media.wire import SaveStage
from runtime.outputs.labels import ENGLISH
from runtime.printer import failures as printer_failures
from runtime.printer.failures import HALTS
from runtime.problems import ProblemKind
from runtime.results import Caution, Progress
from runtime.scanner import failures as scanner_failures
from runtime.tasks.task import Task
from runtime.vault import passphrase, vault


def _reasons() -> set[str]:
    """Of every sentence that a check may say, the key that js/review/fields.js makes of it."""
    folder = catalogue.PAGES.parent / "fields"
    said = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    found = re.findall(r'\b(?:passed|failed|unchecked)\(\s*[^",]*(?:"[a-z-]+")?,\s*f?"([^"]+)"', said)
    numbered = (re.sub(r"\d+|\{\w+\}", "n", sentence.lower()) for sentence in found)
    return {re.sub(r"[^a-z]+", "_", sentence).strip("_") for sentence in numbered}


# What a script puts after a prefix, as in t(`stage.${stage}`).
_KEYS = ("chinese", "enter", "erase", "hide", "latin", "left", "more", "right", "space", "symbols", "upper")
_FILLED = {
    "key.": _KEYS,
    "key_label.": _KEYS,
    "caution.": get_args(Caution),
    "printing.": (*get_args(What), "page", "all"),
    "printing_halt.": HALTS,
    "printing_remedy.": HALTS,
    "doubt.": get_args(Reason),
    "stage.": get_args(Progress.model_fields["stage"].annotation),
    "status.": tuple(Status),
    "verdict.": get_args(Verdict.model_fields["state"].annotation),
    "view.": ("one", "two", "continuous"),
    "why.": _reasons(),
    "vault_stage.": ("begin", *get_args(vault_wire.Stage)),
    "vault_state.": get_args(vault.State),
    "vault_strength.": tuple(word for word in get_args(passphrase.Word) if word != "none"),
    "save.": ("compose", *get_args(SaveStage)),
    "exports.": tuple(each + ending for each in OFFERED for ending in ("", "_what")),
    "per.": tuple(Per),
    "tile.": tuple(name for name, _, _ in TILES),
    "about_tile.": tuple(name for name, _, _ in TILES),
    "start.": get_args(StepName),
    "start_phase.": get_args(Phase),
    "start_state.": get_args(StepState),
    "start_test.": get_args(SelfTestRun.model_fields["outcome"].annotation),
    "admin_chart.": SERIES,
    "admin_clock.": ("year", "month", "day", "hour", "minute", "second"),
    "admin_door.": ("old", "old_lead", "enter", "enter_lead", "choose", "choose_lead", "repeat", "repeat_lead"),
    "admin_engine.": (*get_args(EngineStanding.model_fields["state"].annotation), "standby", "refused"),
    "admin_from.": ("info", "warning", "error"),
    "admin_level.": LEVELS,
    "admin_outcome.": get_args(SelfTestRun.model_fields["outcome"].annotation),
    "admin_rule.": tuple(rule.name for rule in built_in()),
    "admin_scope.": get_args(Scope),
    "admin_severity.": get_args(Alert.model_fields["severity"].annotation),
    "admin_state.": get_args(State),
    "admin_task.": tuple(Task),
    "admin_test.": get_args(TestState),
    "admin_trigger.": get_args(Trigger),
}
# Whose codes have a problem and a remedy.
_MODULES_WITH_PROBLEMS = (
    problems,
    failures,
    refusals,
    vault_wire,
    scanner_failures,
    printer_failures,
    session,
    same_origin,
    composing,
    short_codes,
    door,
    engines,
    client,
)
# The same in every language.
_NAMES = {"Inkstick", "墨", "墨锭"}
_KEY = re.compile(r"([a-z_0-9]+)\.[A-Za-z0-9_-]+")
_TEMPLATE_CODE = re.compile(r"\{#.*?#\}|\{% macro .*?\{%- endmacro|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_SAID_IN = (
    r"(?:textContent|innerText|innerHTML|title|placeholder|alt|aria[A-Z]\w*"
    r"|\"(?:aria-label|title|placeholder|alt)\")"
)


def _files(pattern: str, folder: Path = catalogue.PAGES) -> list[Path]:
    """But for those of npm packages, which tests/unit/builder/test_vendored.py looks at."""
    return [path for path in folder.rglob(pattern) if "vendor" not in path.parts]


def _sources(pattern: str, folder: Path = catalogue.PAGES) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in _files(pattern, folder))


def _literals(script: str) -> list[str]:
    without_comments = re.sub(r"(?m)^\s*//.*$|\s// .*$|/\*.*?\*/", "", script)
    return [each[1:-1] for each in re.findall(r'"[^"\n]*"|`[^`]*`', without_comments)]


def _used() -> set[str]:
    scripts, templates = _sources("*.js"), _sources("*.html")
    kiosk = _sources("*.py", catalogue.PAGES.parent / "kiosk")
    used = set(re.findall(r'\bt\("([^"]+)"', scripts)) | set(re.findall(r'data-w2?="([^"{]+)"', templates))
    used |= set(re.findall(r'\b(?:w|title|label|inside)\("([^"]+)"\)', templates))
    used |= set(re.findall(r'\bbutton\("[^"]+", "([^"]+)"', templates))
    families = {key.partition(".")[0] for key in catalogue.messages("zh")}
    for literal in re.findall(r'"([^"\n]+)"', "\n".join((scripts, templates, kiosk))):
        key = _KEY.fullmatch(literal)
        if key and key[1] in families and not literal.endswith((".json", ".js", ".py", ".html")):
            used.add(literal)
    for prefix, values in _FILLED.items():
        used |= {prefix + value for value in values}
    used |= {f"sheet.{key}" for key in ENGLISH}  # of files, as runtime/kiosk/headings.py fills them in
    kinds = [
        kind for module in _MODULES_WITH_PROBLEMS for kind in vars(module).values() if isinstance(kind, ProblemKind)
    ]
    codes = {kind.code for kind in (*kinds, NO_FORM, UNKNOWN_FORM)} | set(re.findall(r'tell\("([a-z-]+)"\)', scripts))
    hardware = _sources("*.py", catalogue.PAGES.parent / "hardware")
    troubles = set(re.findall(r'"([A-Z]+(?:-[A-Z]+)+)"', hardware)) | {"OTHER"}
    used |= {f"{part}.{code}" for code in troubles for part in ("trouble", "trouble_cause", "trouble_remedy")}
    return used | {f"{part}.{code}" for code in codes for part in ("problem", "remedy")}


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_everything_that_is_said_has_words(language: str) -> None:
    assert _used() - catalogue.messages(language).keys() == set()


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_no_words_are_kept_that_nobody_says(language: str) -> None:
    assert catalogue.messages(language).keys() - _used() == set()


def test_what_a_script_fills_in_is_known_here() -> None:
    prefixes = {prefix for path in _files("*.js") for prefix in re.findall(r"`([a-z_]+\.)\$\{", path.read_text())}
    codes = {"problem.", "remedy.", "trouble.", "trouble_cause.", "trouble_remedy."}
    assert prefixes - codes == _FILLED.keys()


def test_both_languages_have_the_same_words_with_the_same_blanks() -> None:
    zh, en = (catalogue.messages(language) for language in catalogue.LANGUAGES)
    assert zh.keys() == en.keys()
    for key in zh:
        assert sorted(re.findall(r"\{\w+\}", zh[key])) == sorted(re.findall(r"\{\w+\}", en[key])), key


def test_a_word_that_follows_a_count_has_its_two_forms_and_its_blank() -> None:
    told = 0
    for text in catalogue.messages("en").values():
        forms = re.findall(r"\{(\w+):(\w+)\|(\w+)\}", text)
        told += len(forms)
        assert text.count("|") == len(forms), text
        for blank, one, several in forms:
            assert f"{{{blank}}}" in text and one != several, text
    assert told > 10
    assert not any("|" in text for text in catalogue.messages("zh").values())


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_a_catalogue_is_in_order_and_says_a_thing_once(language: str) -> None:
    path = catalogue.PAGES / "messages" / f"{language}.po"
    keys = re.findall(r'(?m)^msgid "(.+)"$', path.read_text(encoding="utf-8"))
    for before, key in zip(keys, sorted(keys), strict=True):
        assert before == key, f"{path.name}: {key!r} belongs before {before!r}"
    assert len(keys) == len(set(keys)), [key for key in set(keys) if keys.count(key) > 1]
    with open(path, "rb") as file:
        read = read_po(file, abort_invalid=True)
    assert {str(message.id) for message in read if message.id} == set(keys)
    assert not any(message.fuzzy for message in read)


class _BareText(HTMLParser):
    """The words of a template that no catalogue gave it; `kbd` holds the names of keys."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "input", "br", "img", "hr", "use", "path"):
            self._inside.append(tag)
        said = ("title", "alt", "placeholder", "aria-label", "aria-description", "aria-roledescription", "label")
        self.found += [value for name, value in attrs if name in said and value and re.search(r"[^\W\d_]", value)]

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            del self._inside[len(self._inside) - 1 - self._inside[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if not {"kbd", "script", "style"} & set(self._inside):
            words = re.findall(r"[^\W\d_]+", data)
            self.found += [word for word in words if _is_word(word)]


def _is_word(text: str) -> bool:
    """Not a name, nor an abbreviation as of a format: TXT, JSON, PDF/A."""
    return text not in _NAMES and (text.upper() != text or re.search(r"[\u3400-\u9fff]", text) is not None)


def test_a_template_says_nothing_by_itself() -> None:
    for path in _files("*.html"):
        parser = _BareText()
        parser.feed(_TEMPLATE_CODE.sub("", path.read_text(encoding="utf-8")))
        parser.close()
        assert parser.found == [], path.name


def test_a_script_says_nothing_by_itself() -> None:
    for path in _files("*.js"):
        script = path.read_text(encoding="utf-8")
        for literal in _literals(script):
            bare = re.sub(r"\$\{[^}]*\}", "", literal)
            assert not re.search(r"[\u3400-\u9fff]", bare), (path.name, literal)
            assert not re.match(r"[A-Z][a-z]+ [a-z]{2,}", bare), (path.name, literal)
        said = re.findall(_SAID_IN + r"""\)?\s*[:=,]\s*["`]([^"`]*)["`]""", script)
        for literal in said:
            assert not _is_word(re.sub(r"\$\{[^}]*\}", "", literal)), (path.name, literal)


def test_a_file_of_the_page_stays_short_and_loads_nothing_from_elsewhere() -> None:
    for pattern in ("*.js", "*.css", "*.html"):
        for path in _files(pattern):
            text = path.read_text(encoding="utf-8")
            assert len(text.splitlines()) < 400, path
            assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path
            assert not re.search(r"\b(alert|confirm|prompt|eval)\(", text), path
            assert not re.search(r"(animation|transition|shadow)[a-z-]*:|blur\(|@font-face|@import", text), path
