"""Data that was made from others' works is named in the bill of materials, with what it was made from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from builder import sbom
from builder.inputs.derived import FOLDERS, derived, faults
from builder.keys import ROOT

PINYIN = ROOT / "runtime/pinyin"


def test_every_file_is_as_it_is_listed_and_an_altered_one_is_found(tmp_path: Path) -> None:
    assert [faults(folder) for folder in FOLDERS] == [[] for _ in FOLDERS]
    for path in ("sources.json", "words.txt.xz"):
        shutil.copy(PINYIN / path, tmp_path / path)
    with open(tmp_path / "words.txt.xz", "ab") as words:
        words.write(b"another word")
    assert faults(tmp_path) == ["words.txt.xz"]


def test_no_compressed_data_of_the_station_is_unlisted() -> None:
    """Words, rather than models or pictures, which have lists of their own."""
    listed = {folder / path for folder, data in zip(FOLDERS, derived(), strict=True) for path in data.files}
    assert set((ROOT / "runtime").rglob("*.xz")) <= listed


def test_the_text_for_people_names_the_same_works() -> None:
    told = (PINYIN / "SOURCES.md").read_text(encoding="utf-8")
    (words,) = (data for data in derived() if data.name == "inkstick-pinyin-words")
    for source in words.made_from:
        name, version = source.name.removeprefix("rime-data-"), source.version.rpartition(".")[0] or source.version
        assert name in told and version in told, source
        assert all(licence in told for licence in source.licence.split(" AND "))
        assert set(source.licence.split(" AND ")) <= set(words.licence.split(" AND "))


def test_the_bill_of_materials_names_the_words_and_their_sources() -> None:
    about = {
        **{name: [] for name in ("packages", "built_with", "wheels", "scripts")},
        "data": [each.model_dump() for each in derived()],
    }
    text = sbom.document(about, name="demo", id="0" * 64, epoch=1)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    (words,) = json.loads(text)["components"]
    assert (words["type"], words["name"]) == ("data", "inkstick-pinyin-words")
    assert words["licenses"] == [{"expression": "MIT AND Apache-2.0 AND Unicode-3.0"}]
    assert [file["name"] for file in words["components"]] == ["words.txt.xz"]
    ancestors = {row["name"]: row["purl"] for row in words["pedigree"]["ancestors"]}
    assert ancestors["jieba"] == "pkg:pypi/jieba@0.42.1" and len(ancestors) == 5
