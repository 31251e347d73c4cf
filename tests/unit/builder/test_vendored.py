"""Files of npm packages beside the pages are the ones that are listed, and the bill of materials names them."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from builder import sbom
from builder.inputs.vendored import FOLDER, add, faults, vendored


def archive(folder: Path, version: str, files: dict[str, bytes]) -> Path:
    """As `npm pack` makes it."""
    made = folder / f"pen-{version}.tgz"
    with tarfile.open(made, "w:gz") as opened:
        for path, content in {
            "package.json": json.dumps({"name": "pen", "version": version}).encode(),
            **files,
        }.items():
            row = tarfile.TarInfo(f"package/{path}")
            row.size = len(content)
            opened.addfile(row, io.BytesIO(content))
    return made


def test_every_file_beside_the_pages_is_listed_and_as_it_was() -> None:
    assert faults() == []


def test_every_package_names_its_version_its_licence_and_its_archive() -> None:
    packages = vendored()
    assert {"openseadragon", "katex"} <= {package.name for package in packages}
    assert [package.name for package in packages] == sorted(package.name for package in packages)
    for package in packages:
        assert re.fullmatch(r"\d+\.\d+\.\d+", package.version)
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package.integrity)
        assert package.licence


def test_an_altered_a_lacking_and_an_unlisted_file_are_found(tmp_path: Path) -> None:
    add(archive(tmp_path, "1.0.0", {"d/pen.js": b"1", "LICENSE": b"MIT"}), "MIT", _of("d/pen.js", "LICENSE"), tmp_path)
    (tmp_path / "pen-1.0.0.tgz").unlink()
    assert faults(tmp_path) == []
    (tmp_path / "pen/pen.js").write_bytes(b"2")
    (tmp_path / "pen/LICENSE").unlink()
    (tmp_path / "pen/more.js").write_bytes(b"")
    assert faults(tmp_path) == ["pen/LICENSE: lacking", "pen/pen.js: altered", "pen/more.js: unlisted"]


def test_a_newer_version_takes_the_place_of_the_older_and_keeps_what_was_added_by_hand(tmp_path: Path) -> None:
    (tmp_path / "pen").mkdir()
    (tmp_path / "pen/LICENSE-FONT.txt").write_text("OFL")
    older = {"d/pen.js": b"1", "d/nib.js": b"1", "LICENSE": b"MIT"}
    add(archive(tmp_path, "1.0.0", older), "MIT", _of(*older), tmp_path)
    add(archive(tmp_path, "2.0.0", {"d/pen.js": b"2", "LICENSE": b"MIT"}), "MIT", _of("d/pen.js", "LICENSE"), tmp_path)
    for made in tmp_path.glob("*.tgz"):
        made.unlink()
    assert faults(tmp_path) == []
    (package,) = vendored(tmp_path)
    assert package.version == "2.0.0"
    assert {path: file.source for path, file in package.files.items()} == {
        "LICENSE": "LICENSE",
        "LICENSE-FONT.txt": "",
        "pen.js": "d/pen.js",
    }


def test_a_package_without_a_licence_text_is_found(tmp_path: Path) -> None:
    made = archive(tmp_path, "1.0.0", {"pen.js": b"1"})
    add(made, "MIT", _of("pen.js"), tmp_path)
    made.unlink()
    assert faults(tmp_path) == ["pen: no licence text"]


def test_the_bill_of_materials_lists_packages_and_their_files() -> None:
    about = {
        "packages": [],
        "built_with": [],
        "wheels": [],
        "scripts": [package.model_dump() for package in vendored()],
    }
    text = sbom.document(about, name="demo", id="0" * 64, epoch=1)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    rows = {row["name"]: row for row in json.loads(text)["components"]}
    assert rows["katex"]["purl"].startswith("pkg:npm/katex@")
    assert {file["name"] for file in rows["katex"]["components"]} >= {"katex.min.js", "LICENSE"}


def test_only_fonts_of_the_smallest_kind_are_kept() -> None:
    assert {path.suffix for path in FOLDER.rglob("fonts/*")} <= {".woff2", ".txt"}


def _of(*paths: str) -> dict[str, str]:
    return {Path(path).name: path for path in paths}


def test_all_scripts_of_the_pages_together_stay_small() -> None:
    """What the browser would fetch if it needed every one, packed as the network would pack it."""
    scripts = [path for path in FOLDER.parent.rglob("*.js") if path.is_file()]
    packed = {str(path.relative_to(FOLDER.parent)): len(gzip.compress(path.read_bytes(), 9)) for path in scripts}
    assert sum(packed.values()) < 300_000, packed
