"""The papers of a finished ISO: on it and beside it, for an auditor who has nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from builder import isofs
from builder.inputs.lock import lock_path
from builder.inputs.store import sha256_of
from builder.keys import ROOT
from builder.profile import load_profile


@pytest.fixture(scope="module")
def on_it(iso: Path) -> dict[str, bytes]:
    """Files of /inkstick/about, by name."""
    prefix = "/inkstick/about/"
    return {
        path.removeprefix(prefix): isofs.read(iso, extent)
        for path, extent in isofs.files(iso).items()
        if path.startswith(prefix)
    }


def run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "builder", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_on_the_stick_is_told_on_it_as_beside_it(iso: Path, on_it: dict[str, bytes]) -> None:
    beside: dict[str, Any] = json.loads(iso.with_suffix(".manifest.json").read_text())
    assert beside.pop("sha256") == sha256_of(iso)
    assert (beside.pop("file"), beside.pop("size")) == (iso.name, iso.stat().st_size)
    for layer in beside["layers"]:
        layer["cuts"] = sorted(layer["cuts"])
    assert json.loads(on_it["contents.json"]) == beside
    assert on_it["sbom.cdx.json"] == iso.with_suffix(".sbom.cdx.json").read_bytes()


def test_the_bill_of_materials_keeps_to_its_schema_and_names_everything(on_it: dict[str, bytes]) -> None:
    text = on_it["sbom.cdx.json"].decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    components = json.loads(text)["components"]
    named = {(row["name"], row["version"]) for row in components}
    about = json.loads(on_it["contents.json"])
    assert {"openseadragon", "katex"} <= {row["name"] for row in about["scripts"]}
    for row in (*about["packages"], *about["built_with"], *about["scripts"]):
        assert (row["name"], row["version"]) in named
    for row in about["wheels"]:
        assert (row["project"], row["version"]) in named
    hashes = {entry["content"] for row in components for entry in row.get("hashes", ())}
    assert {row["sha256"] for row in (*about["packages"], *about["wheels"])} <= hashes
    assert all(row["licenses"] for row in components)


def test_the_provenance_names_the_iso_its_lock_and_its_tools(iso: Path) -> None:
    statement = json.loads(iso.with_suffix(".provenance.json").read_text())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": iso.name, "digest": {"sha256": sha256_of(iso)}}]
    definition = statement["predicate"]["buildDefinition"]
    lock, builder = definition["resolvedDependencies"]
    assert lock["digest"]["sha256"] == sha256_of(lock_path(load_profile("demo")))
    assert builder["name"] == "builder" and builder["digest"]["gitCommit"]
    assert "mksquashfs" in definition["internalParameters"]["tools"]


def test_nothing_in_the_papers_tells_of_this_machine(iso: Path, on_it: dict[str, bytes]) -> None:
    beside = [iso.with_suffix(f".{kind}.json").read_text() for kind in ("manifest", "sbom.cdx", "provenance")]
    for text in (*beside, *(content.decode() for content in on_it.values())):
        assert str(ROOT) not in text and str(Path.home()) + "/" not in text


def test_show_reads_the_file_alone(iso: Path, tmp_path: Path) -> None:
    alone = tmp_path / "some.iso"
    alone.symlink_to(iso)
    said = run("show", str(alone))
    assert "profile demo" in said and "layer base" in said and "chromium" in said and "MIT" in said
    assert max(len(line) for line in said.splitlines()) <= 80
    assert json.loads(run("show", str(alone), "--json"))["profile"] == "demo"


def test_two_equal_files_have_no_difference(iso: Path) -> None:
    assert "the same packages" in run("diff", str(iso), str(iso))
    assert json.loads(run("diff", str(iso), str(iso), "--json"))["packages"] == {
        "added": {},
        "removed": {},
        "moved": {},
    }


def test_a_file_that_is_no_stick_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.iso").write_bytes(bytes(100_000))
    argv = [sys.executable, "-m", "builder", "show", str(tmp_path / "no.iso")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 8 and "the file is not an ISO" in done.stderr
