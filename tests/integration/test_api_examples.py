"""The interface's page: its examples run as they stand, and its lists are complete."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime import problems
from runtime.config import StationConfig
from runtime.documents import refusals as document_refusals
from runtime.fields.checks import AGREEMENTS, CHECKS
from runtime.fields.forms import built_in
from runtime.gateway import refusals
from runtime.outputs.formats import Format
from runtime.problems import ProblemKind
from tests.integration.station import REPOSITORY, Station, running_station
from tests.pages.forms import form_page
from tests.pages.render import render

PAGE = (REPOSITORY / "docs/api.md").read_text(encoding="utf-8")
_COMMANDS = {
    "bash": ["bash", "-euo", "pipefail", "-c"],
    "python": [sys.executable, "-c"],
    "javascript": ["node", "--input-type=module", "--eval"],
}
_KIOSKS_OWN = {"stick-gone", "stick-full", "stick-read-only", "stick-unreadable", "page-lost"}


@dataclass(frozen=True)
class Example:
    prints: str
    language: str
    code: str


EXAMPLES = [Example(*found) for found in re.findall(r"<!-- prints: (.+?) -->\n```(\w+)\n(.*?)```", PAGE, re.DOTALL)]


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with running_station(tmp_path_factory.mktemp("station")) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("client")
    form_page("identity-card", seed=4).image.save(made / "image.jpg", quality=92)
    render("english").image.save(made / "scan.pdf", save_all=True, append_images=[render("chinese").image])
    return made


def test_there_are_examples_in_three_languages() -> None:
    assert {example.language for example in EXAMPLES} == set(_COMMANDS)
    assert len(EXAMPLES) == len(re.findall(r"```(?:bash|python|javascript)", PAGE))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.language}-{example.prints}")
def test_an_example_does_what_the_page_says(station: Station, folder: Path, example: Example) -> None:
    code = example.code.replace("localhost:8000", f"localhost:{station.http.base_url.port}")
    words = [*_COMMANDS[example.language], code]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert example.prints in done.stdout


def test_the_page_names_every_error_form_check_and_format() -> None:
    kinds = [
        kind
        for module in (problems, document_refusals, refusals)
        for kind in vars(module).values()
        if isinstance(kind, ProblemKind)
    ]
    names = {kind.code for kind in kinds} - _KIOSKS_OWN
    names |= {form.name for form in built_in()} | CHECKS.keys() | AGREEMENTS.keys() | {form.value for form in Format}
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []


def test_the_pages_form_fits_the_configuration() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    head = '{"profile": "x", "version": "0", "ui": {"host": "::1", "port": 1}, "api": {"host": "::1", "port": 2}, '
    config = StationConfig.model_validate_json(head + '"engines": [], ' + example.strip().removeprefix("{"))
    assert config.forms[0].fields[1].key == "Weight"
